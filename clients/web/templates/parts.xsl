<?xml version="1.0" encoding="UTF-8"?>
<!-- Pieces that several pages share. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">

<!-- What makes a form recognisable as ours. Each form that posts has it. -->
<xsl:template name="mark">
  <input type="hidden" name="mark" value="{/*/@mark}"/>
</xsl:template>

<!-- "26 November 2026 at 03:04" of an instant. -->
<xsl:template match="*" mode="instant">
  <time datetime="{@day}T{@time}"><xsl:value-of select="@date"/> at <xsl:value-of select="@time"/></time>
</xsl:template>

<!-- "12 minutes ago", "3 hours ago", "5 days ago". -->
<xsl:template match="*" mode="ago">
  <xsl:choose>
    <xsl:when test="@minutes &lt; 2">just now</xsl:when>
    <xsl:when test="@minutes &lt; 120"><xsl:value-of select="@minutes"/> minutes ago</xsl:when>
    <xsl:when test="@minutes &lt; 2880"><xsl:value-of select="floor(@minutes div 60)"/> hours ago</xsl:when>
    <xsl:otherwise><xsl:value-of select="floor(@minutes div 1440)"/> days ago</xsl:otherwise>
  </xsl:choose>
</xsl:template>

<!-- A telephone number that can be tapped. -->
<xsl:template match="*" mode="telephone">
  <a href="tel:{@dial}"><xsl:value-of select="."/></a>
</xsl:template>

<xsl:template match="*" mode="plan-type">
  <xsl:choose>
    <xsl:when test=". = 'CPP'">child protection plan</xsl:when>
    <xsl:when test=". = 'LAC'">looked after child</xsl:when>
    <xsl:when test=". = 'UCPP'">child protection plan for an unborn child</xsl:when>
    <xsl:otherwise><xsl:value-of select="@words"/></xsl:otherwise>
  </xsl:choose>
</xsl:template>

<!-- One row of a summary list; the content is what stands in the call. -->
<xsl:template name="row">
  <xsl:param name="key"/>
  <xsl:param name="value"/>
  <div class="nhsuk-summary-list__row">
    <dt class="nhsuk-summary-list__key"><xsl:value-of select="$key"/></dt>
    <dd class="nhsuk-summary-list__value"><xsl:copy-of select="$value"/></dd>
  </div>
</xsl:template>

<!-- The list of what is wrong with a form: each element with @problem, linked to the field of its name. -->
<xsl:template name="problems">
  <xsl:if test="/*/*[@problem]">
    <div class="nhsuk-error-summary" tabindex="-1" data-focus="yes">
      <div role="alert">
        <h2 class="nhsuk-error-summary__heading">There is a problem</h2>
        <div class="nhsuk-error-summary__body">
          <ul class="nhsuk-list nhsuk-error-summary__list">
            <xsl:for-each select="/*/*[@problem]"><li><a href="#{name()}"><xsl:value-of select="@problem"/></a></li></xsl:for-each>
          </ul>
        </div>
      </div>
    </div>
  </xsl:if>
</xsl:template>

<!-- The complaint at one field. -->
<xsl:template match="*" mode="problem">
  <xsl:if test="@problem">
    <span class="nhsuk-error-message" id="{name()}-error"><span class="nhsuk-u-visually-hidden">Error: </span><xsl:value-of select="@problem"/></span>
  </xsl:if>
</xsl:template>

<!-- "problem" in one sentence, for pages whose form is not wrong in one field. -->
<xsl:template name="one-problem">
  <xsl:if test="/*/problem">
    <div class="nhsuk-error-summary" tabindex="-1" data-focus="yes">
      <div role="alert">
        <h2 class="nhsuk-error-summary__heading">There is a problem</h2>
        <div class="nhsuk-error-summary__body"><p><xsl:value-of select="/*/problem"/></p></div>
      </div>
    </div>
  </xsl:if>
</xsl:template>

</xsl:stylesheet>
