<?xml version="1.0" encoding="UTF-8"?>
<!-- A month in figures, to be printed. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="audit.xsl"/>
<xsl:template match="/report" mode="title">Report of <xsl:value-of select="month"/></xsl:template>
<xsl:template match="/report" mode="content">
  <div class="cpis-no-print"><xsl:call-template name="audit-navigation"><xsl:with-param name="here">report</xsl:with-param></xsl:call-template></div>
  <h1 class="nhsuk-heading-l">Monthly report of <xsl:value-of select="person/organisation_name"/>, <xsl:value-of select="substring-after(first/@date, ' ')"/></h1>
  <form action="{$origin}/audit/report" method="get">
    <div class="nhsuk-form-group"><label class="nhsuk-label" for="month">Month</label><div class="nhsuk-hint" id="month-hint">For example 2026-11</div>
      <input class="nhsuk-input nhsuk-input--width-10" id="month" name="month" type="text" value="{month}" aria-describedby="month-hint"/></div>
    <button class="nhsuk-button nhsuk-button--secondary" type="submit">Show the month</button>
  </form>
  <xsl:if test="totals/@cut"><div class="nhsuk-warning-callout"><h2 class="nhsuk-warning-callout__label">Not the whole month</h2><p>There are more records or cases than are counted here: only the first <xsl:value-of select="totals/@records"/> records are. <code>cpis audit report</code> counts all.</p></div></xsl:if>
  <dl class="nhsuk-summary-list">
    <xsl:call-template name="row"><xsl:with-param name="key">Records</xsl:with-param><xsl:with-param name="value" select="string(totals/@records)"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Refused</xsl:with-param><xsl:with-param name="value" select="string(totals/@refused)"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Details opened</xsl:with-param><xsl:with-param name="value" select="string(totals/@opened)"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Children asked about</xsl:with-param><xsl:with-param name="value" select="string(totals/@children)"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">The glass was broken</xsl:with-param><xsl:with-param name="value" select="string(totals/@glass)"/></xsl:call-template>
    <xsl:if test="person/activity = 'L0202'">
      <xsl:call-template name="row"><xsl:with-param name="key">Cases opened</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="count(alert[@opened])"/>, <xsl:value-of select="count(alert[@opened][not(finding)])"/> of them without an outcome yet</xsl:with-param></xsl:call-template>
      <xsl:call-template name="row"><xsl:with-param name="key">Outcomes given</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="count(alert[@decided][finding = 'APPROPRIATE'])"/> appropriate, <xsl:value-of select="count(alert[@decided][finding = 'NEAR_MISS'])"/> near misses, <xsl:value-of select="count(alert[@decided][finding = 'BREACH'])"/> breaches</xsl:with-param></xsl:call-template>
    </xsl:if>
  </dl>
  <xsl:call-template name="days"/>
  <xsl:call-template name="counts"><xsl:with-param name="title">What was asked</xsl:with-param><xsl:with-param name="group">operation</xsl:with-param></xsl:call-template>
  <xsl:call-template name="counts"><xsl:with-param name="title">In which role</xsl:with-param><xsl:with-param name="group">role</xsl:with-param></xsl:call-template>
  <xsl:call-template name="counts"><xsl:with-param name="title">Where</xsl:with-param><xsl:with-param name="group">care_setting</xsl:with-param></xsl:call-template>
  <xsl:call-template name="counts"><xsl:with-param name="title">Why it was refused</xsl:with-param><xsl:with-param name="group">refused_because</xsl:with-param></xsl:call-template>
  <xsl:if test="looker">
    <h2 class="nhsuk-heading-m">Who looked at most children</h2>
    <div class="cpis-scroll" tabindex="0" role="region" aria-label="Who looked at most children"><table class="nhsuk-table"><caption class="nhsuk-table__caption nhsuk-u-visually-hidden">The ten who asked about most children</caption>
      <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">Person</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Children</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Records</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Refused</th></tr></thead>
      <tbody class="nhsuk-table__body"><xsl:for-each select="looker">
        <tr class="nhsuk-table__row"><td class="nhsuk-table__cell"><xsl:value-of select="@name"/>, <xsl:value-of select="@role"/></td><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="@children"/></td><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="@records"/></td><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="@refused"/></td></tr></xsl:for-each></tbody></table></div>
  </xsl:if>
</xsl:template>

<xsl:template name="counts">
  <xsl:param name="title"/><xsl:param name="group"/>
  <xsl:if test="value[@group = $group]">
    <h2 class="nhsuk-heading-m"><xsl:value-of select="$title"/></h2>
    <div class="cpis-scroll" tabindex="0" role="region" aria-label="{$title}"><table class="nhsuk-table"><caption class="nhsuk-table__caption nhsuk-u-visually-hidden"><xsl:value-of select="$title"/></caption>
      <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">What</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Records</th></tr></thead>
      <tbody class="nhsuk-table__body"><xsl:for-each select="value[@group = $group]"><xsl:sort select="@records" data-type="number" order="descending"/>
        <tr class="nhsuk-table__row"><td class="nhsuk-table__cell"><xsl:choose><xsl:when test="$group = 'role'"><xsl:value-of select="."/></xsl:when><xsl:otherwise><xsl:value-of select="translate(., '_ABCDEFGHIJKLMNOPQRSTUVWXYZ', ' abcdefghijklmnopqrstuvwxyz')"/></xsl:otherwise></xsl:choose></td><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="@records"/></td></tr></xsl:for-each></tbody></table></div>
  </xsl:if>
</xsl:template>

<!-- A bar for each day on which there was something. -->
<xsl:template name="days">
  <xsl:if test="day">
    <h2 class="nhsuk-heading-m">By day</h2>
    <xsl:variable name="most"><xsl:for-each select="day"><xsl:sort select="@records" data-type="number" order="descending"/><xsl:if test="position() = 1"><xsl:value-of select="@records"/></xsl:if></xsl:for-each></xsl:variable>
    <svg class="cpis-chart" viewBox="0 0 1080 240" role="img" aria-labelledby="days-title days-text">
      <title id="days-title">Records by day</title>
      <desc id="days-text"><xsl:for-each select="day"><xsl:value-of select="@date"/>: <xsl:value-of select="@records"/>. </xsl:for-each></desc>
      <path class="cpis-chart__line" d="M40 200H1060"/>
      <xsl:for-each select="day">
        <xsl:variable name="day" select="number(substring(@day, 9, 2))"/><xsl:variable name="height" select="@records * 170 div $most"/>
        <rect class="cpis-chart__bar" x="{40 + ($day - 1) * 33}" y="{200 - $height}" width="26" height="{$height}"/>
        <text x="{53 + ($day - 1) * 33}" y="225" text-anchor="middle"><xsl:value-of select="$day"/></text>
        <text x="{53 + ($day - 1) * 33}" y="{194 - $height}" text-anchor="middle"><xsl:value-of select="@records"/></text>
      </xsl:for-each>
    </svg>
  </xsl:if>
</xsl:template>
</xsl:stylesheet>
