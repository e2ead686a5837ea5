<?xml version="1.0" encoding="UTF-8"?>
<!-- What this is, and what one's role may do here. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/about" mode="title">About</xsl:template>
<xsl:template match="/about" mode="content">
  <h1 class="nhsuk-heading-l">About this service</h1>
  <p>You are signed in as <xsl:value-of select="person/name"/>, <xsl:value-of select="person/role_name"/> at
    <xsl:value-of select="person/organisation_name"/>.</p>
  <p>This service tells those who treat a child in unscheduled care whether social care knows the child, and whom to ring; and it tells social
    care that the child was seen. A "no" is no proof of safety: if you are worried, follow your safeguarding procedure.</p>
  <p>Every look is recorded with your name, and the record cannot be changed afterwards.</p>
  <p><a href="{$origin}/passkey">Make a passkey</a> for this or another computer.</p>
</xsl:template>
</xsl:stylesheet>
