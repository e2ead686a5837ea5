<?xml version="1.0" encoding="UTF-8"?>
<!-- The broker said no. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/refused" mode="title">Refused</xsl:template>
<xsl:template match="/refused" mode="content">
  <h1 class="nhsuk-heading-l">
    <xsl:choose>
      <xsl:when test="outcome = 'SERVICE_UNAVAILABLE' or outcome = 'TOO_MANY_REQUESTS'">Not at this moment</xsl:when>
      <xsl:when test="outcome = 'SESSION_EXPIRED'">You have been signed out</xsl:when>
      <xsl:otherwise>The service refused this</xsl:otherwise>
    </xsl:choose>
  </h1>
  <p><xsl:value-of select="reason"/></p>
  <p><a href="{$origin}/">Go to the start</a></p>
  <p class="nhsuk-body-s">For your helpdesk: <code><xsl:value-of select="reason_code"/></code></p>
</xsl:template>
</xsl:stylesheet>
