<?xml version="1.0" encoding="UTF-8"?>
<!-- An act that needs the person's own proof. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/confirm" mode="title"><xsl:value-of select="heading"/></xsl:template>
<xsl:template match="/confirm" mode="content">
  <xsl:call-template name="one-problem"/>
  <h1 class="nhsuk-heading-l"><xsl:value-of select="heading"/></h1>
  <div class="nhsuk-warning-callout">
    <h2 class="nhsuk-warning-callout__label">Read this first</h2>
    <p><xsl:value-of select="sentence"/></p>
  </div>
  <xsl:choose>
    <xsl:when test="person/credential">
      <form action="{$origin}/act" method="post" id="confirm" data-challenge="{$origin}/act/challenge" data-credential="{person/credential}" data-finish="{$origin}/act">
        <xsl:call-template name="mark"/>
        <input type="hidden" name="act" value="{act}"/>
        <p>Your passkey is asked for, so that it is certain that it is you.</p>
        <p class="nhsuk-error-message" id="passkey-problem" role="alert"></p>
        <button class="nhsuk-button nhsuk-button--warning" type="button" id="passkey"><xsl:value-of select="button"/></button>
      </form>
    </xsl:when>
    <xsl:otherwise>
      <form action="{address}" method="post">
        <xsl:call-template name="mark"/>
        <input type="hidden" name="act" value="{act}"/>
        <p>Your certificate is asked for, so that it is certain that it is you. Go on within one minute.</p>
        <button class="nhsuk-button nhsuk-button--warning" type="submit"><xsl:value-of select="button"/></button>
      </form>
    </xsl:otherwise>
  </xsl:choose>
  <p><a href="{$origin}/">Do nothing, and go to the start</a></p>
</xsl:template>
</xsl:stylesheet>
