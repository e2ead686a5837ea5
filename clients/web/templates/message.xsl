<?xml version="1.0" encoding="UTF-8"?>
<!-- A heading and a sentence. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/message" mode="title"><xsl:value-of select="heading"/></xsl:template>
<xsl:template match="/message" mode="content">
  <h1 class="nhsuk-heading-l"><xsl:value-of select="heading"/></h1>
  <p><xsl:value-of select="sentence"/></p>
  <p><a href="{$origin}/">Go to the start</a></p>
</xsl:template>
</xsl:stylesheet>
