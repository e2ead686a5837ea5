<?xml version="1.0" encoding="UTF-8"?>
<!-- Signing in, also after a lock. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/sign-in" mode="title"><xsl:choose><xsl:when test="locked">Locked</xsl:when><xsl:otherwise>Sign in</xsl:otherwise></xsl:choose></xsl:template>
<xsl:template match="/sign-in" mode="content">
  <xsl:call-template name="one-problem"/>
  <h1 class="nhsuk-heading-l"><xsl:choose><xsl:when test="locked">Locked: show that it is still you</xsl:when><xsl:otherwise>Sign in</xsl:otherwise></xsl:choose></h1>
  <form action="{$origin}/sign-in/certificate" method="post" id="sign-in" data-challenge="{$origin}/sign-in/passkey/challenge" data-finish="{$origin}/sign-in/passkey">
    <xsl:call-template name="mark"/>
    <div class="nhsuk-form-group">
      <label class="nhsuk-label" for="role">Which role are you working in?</label>
      <select class="nhsuk-select" id="role" name="role">
        <xsl:for-each select="role">
          <option value="{@code}"><xsl:if test="@chosen"><xsl:attribute name="selected">selected</xsl:attribute></xsl:if><xsl:value-of select="."/></option>
        </xsl:for-each>
      </select>
    </div>
    <div class="cpis-script-only" hidden="hidden">
      <p class="nhsuk-error-message" id="passkey-problem" role="alert"></p>
      <button class="nhsuk-button" type="button" id="passkey">Sign in with your passkey</button>
    </div>
    <button class="nhsuk-button nhsuk-button--secondary" type="submit">Sign in with your smartcard or certificate</button>
  </form>
  <p><a href="{$origin}/passkey">Make a passkey</a></p>
</xsl:template>
</xsl:stylesheet>
