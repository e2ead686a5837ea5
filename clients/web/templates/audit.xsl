<?xml version="1.0" encoding="UTF-8"?>
<!-- Pieces that the pages of audit review share. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>

<xsl:template name="audit-navigation">
  <xsl:param name="here"/>
  <nav aria-label="Audit review"><ul class="nhsuk-list cpis-tabs">
    <xsl:if test="/*/person/activity = 'L0202'"><li><a href="{$origin}/audit"><xsl:if test="$here = 'cases'"><xsl:attribute name="aria-current">page</xsl:attribute></xsl:if>Cases</a></li></xsl:if>
    <li><a href="{$origin}/audit/search"><xsl:if test="$here = 'search'"><xsl:attribute name="aria-current">page</xsl:attribute></xsl:if>Who looked</a></li>
    <li><a href="{$origin}/audit/report"><xsl:if test="$here = 'report'"><xsl:attribute name="aria-current">page</xsl:attribute></xsl:if>Monthly report</a></li>
  </ul></nav>
</xsl:template>

<xsl:template match="kind" mode="kind"><xsl:choose><xsl:when test=". = 'FINDING'">Something was found</xsl:when><xsl:when test=". = 'SAMPLE'">Chosen for routine review</xsl:when><xsl:when test=". = 'EXTRACT'">An emergency extract was taken</xsl:when><xsl:otherwise>The glass was broken</xsl:otherwise></xsl:choose></xsl:template>

<xsl:template match="state" mode="state"><xsl:choose>
  <xsl:when test=". = 'ALERT_OPEN'"><strong class="nhsuk-tag">Open</strong></xsl:when>
  <xsl:when test=". = 'ALERT_ASSIGNED'"><strong class="nhsuk-tag nhsuk-tag--yellow">Being looked into</strong></xsl:when>
  <xsl:when test=". = 'ALERT_DECIDED'"><strong class="nhsuk-tag nhsuk-tag--orange">Something is still to be done</strong></xsl:when>
  <xsl:otherwise><strong class="nhsuk-tag nhsuk-tag--green">Closed</strong></xsl:otherwise></xsl:choose></xsl:template>

<xsl:template match="finding" mode="outcome"><xsl:choose><xsl:when test=". = 'APPROPRIATE'">Appropriate: they had to look</xsl:when><xsl:when test=". = 'BREACH'">Breach: they had no business to look</xsl:when><xsl:otherwise>Near miss: no harm was done</xsl:otherwise></xsl:choose></xsl:template>

<xsl:template match="severity" mode="severity"><xsl:choose><xsl:when test=". = 'SEVERITY_HIGH'">high</xsl:when><xsl:when test=". = 'SEVERITY_MEDIUM'">medium</xsl:when><xsl:otherwise>low</xsl:otherwise></xsl:choose></xsl:template>

<!-- What an entry of the log says somebody did. -->
<xsl:template match="*" mode="did"><xsl:choose>
  <xsl:when test="operation = 'FLAG'">asked whether the child is known</xsl:when>
  <xsl:when test="operation = 'DETAILS'">opened the child's details</xsl:when>
  <xsl:when test="operation = 'SESSION_OPEN'">signed in</xsl:when>
  <xsl:when test="operation = 'SESSION_CLOSE'">signed out</xsl:when>
  <xsl:when test="operation = 'AUDIT_SEARCH'">searched the log</xsl:when>
  <xsl:otherwise><xsl:value-of select="operation/@words"/></xsl:otherwise></xsl:choose>
  <xsl:if test="@kind = 'silent'"> silently</xsl:if><xsl:if test="outcome != 'OK'">, refused</xsl:if><xsl:if test="detail/break_glass">, broke the glass</xsl:if></xsl:template>
</xsl:stylesheet>
