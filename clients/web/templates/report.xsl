<?xml version="1.0" encoding="UTF-8"?>
<!-- A month in figures, to be printed. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="audit.xsl"/>
<xsl:key name="operation" match="/report/found/entry" use="operation"/>
<xsl:key name="role" match="/report/found/entry[detail/role_name]" use="detail/role_name"/>
<xsl:key name="setting" match="/report/found/entry[detail/care_setting]" use="detail/care_setting"/>
<xsl:key name="reason" match="/report/found/entry[reason_code]" use="reason_code"/>
<xsl:key name="person" match="/report/found/entry[detail/uid and detail/nhs_number]" use="detail/uid"/>
<xsl:key name="day" match="/report/found/entry" use="time_ms/@day"/>

<xsl:template match="/report" mode="title">Report of <xsl:value-of select="month"/></xsl:template>
<xsl:template match="/report" mode="content">
  <div class="cpis-no-print"><xsl:call-template name="audit-navigation"><xsl:with-param name="here">report</xsl:with-param></xsl:call-template></div>
  <h1 class="nhsuk-heading-l">Monthly report of <xsl:value-of select="person/organisation_name"/>, <xsl:value-of select="substring-after(first/@date, ' ')"/></h1>
  <form action="{$origin}/audit/report" method="get">
    <div class="nhsuk-form-group"><label class="nhsuk-label" for="month">Month</label><div class="nhsuk-hint" id="month-hint">For example 2026-11</div>
      <input class="nhsuk-input nhsuk-input--width-10" id="month" name="month" type="text" value="{month}" aria-describedby="month-hint"/></div>
    <button class="nhsuk-button nhsuk-button--secondary" type="submit">Show the month</button>
  </form>
  <xsl:if test="found/@cut"><div class="nhsuk-warning-callout"><h2 class="nhsuk-warning-callout__label">Not the whole month</h2><p>There are more records or cases than are counted here: only the first <xsl:value-of select="count(found/entry)"/> records are. <code>cpis audit report</code> counts all.</p></div></xsl:if>
  <dl class="nhsuk-summary-list">
    <xsl:call-template name="row"><xsl:with-param name="key">Records</xsl:with-param><xsl:with-param name="value" select="count(found/entry)"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Refused</xsl:with-param><xsl:with-param name="value" select="count(found/entry[@kind = 'refused'])"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Details opened</xsl:with-param><xsl:with-param name="value" select="count(found/entry[operation = 'DETAILS' and @kind != 'refused'])"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">The glass was broken</xsl:with-param><xsl:with-param name="value" select="count(found/entry[@kind = 'glass'])"/></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Cases</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="count(alert)"/>: <xsl:value-of select="count(alert[finding = 'APPROPRIATE'])"/> appropriate, <xsl:value-of select="count(alert[finding = 'NEAR_MISS'])"/> near misses, <xsl:value-of select="count(alert[finding = 'BREACH'])"/> breaches, <xsl:value-of select="count(alert[not(finding)])"/> without an outcome</xsl:with-param></xsl:call-template>
  </dl>
  <xsl:call-template name="days"/>
  <xsl:call-template name="counts"><xsl:with-param name="title">What was asked</xsl:with-param><xsl:with-param name="key">operation</xsl:with-param><xsl:with-param name="firsts" select="found/entry[generate-id() = generate-id(key('operation', operation)[1])]/operation"/></xsl:call-template>
  <xsl:call-template name="counts"><xsl:with-param name="title">In which role</xsl:with-param><xsl:with-param name="key">role</xsl:with-param><xsl:with-param name="firsts" select="found/entry[generate-id() = generate-id(key('role', detail/role_name)[1])]/detail/role_name"/></xsl:call-template>
  <xsl:call-template name="counts"><xsl:with-param name="title">Where</xsl:with-param><xsl:with-param name="key">setting</xsl:with-param><xsl:with-param name="firsts" select="found/entry[generate-id() = generate-id(key('setting', detail/care_setting)[1])]/detail/care_setting"/></xsl:call-template>
  <xsl:call-template name="counts"><xsl:with-param name="title">Why it was refused</xsl:with-param><xsl:with-param name="key">reason</xsl:with-param><xsl:with-param name="firsts" select="found/entry[generate-id() = generate-id(key('reason', reason_code)[1])]/reason_code"/></xsl:call-template>
  <xsl:if test="found/entry[detail/uid and detail/nhs_number]">
    <h2 class="nhsuk-heading-m">Who looked most</h2>
    <div class="cpis-scroll" tabindex="0" role="region" aria-label="Who looked most"><table class="nhsuk-table"><caption class="nhsuk-table__caption nhsuk-u-visually-hidden">The ten with most records about a child</caption>
      <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">Person</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Records</th></tr></thead>
      <tbody class="nhsuk-table__body"><xsl:for-each select="found/entry[generate-id() = generate-id(key('person', detail/uid)[1])]"><xsl:sort select="count(key('person', detail/uid))" data-type="number" order="descending"/>
        <xsl:if test="position() &lt;= 10"><tr class="nhsuk-table__row"><td class="nhsuk-table__cell"><xsl:value-of select="detail/name"/>, <xsl:value-of select="detail/role_name"/></td><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="count(key('person', detail/uid))"/></td></tr></xsl:if></xsl:for-each></tbody></table></div>
  </xsl:if>
</xsl:template>

<xsl:template name="counts">
  <xsl:param name="title"/><xsl:param name="key"/><xsl:param name="firsts"/>
  <xsl:if test="$firsts">
    <h2 class="nhsuk-heading-m"><xsl:value-of select="$title"/></h2>
    <div class="cpis-scroll" tabindex="0" role="region" aria-label="{$title}"><table class="nhsuk-table"><caption class="nhsuk-table__caption nhsuk-u-visually-hidden"><xsl:value-of select="$title"/></caption>
      <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">What</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Records</th></tr></thead>
      <tbody class="nhsuk-table__body"><xsl:for-each select="$firsts"><xsl:sort select="count(key($key, .))" data-type="number" order="descending"/>
        <tr class="nhsuk-table__row"><td class="nhsuk-table__cell"><xsl:choose><xsl:when test="@words"><xsl:value-of select="@words"/></xsl:when><xsl:otherwise><xsl:value-of select="."/></xsl:otherwise></xsl:choose></td><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="count(key($key, .))"/></td></tr></xsl:for-each></tbody></table></div>
  </xsl:if>
</xsl:template>

<!-- A bar for each day on which there was something. -->
<xsl:template name="days">
  <xsl:variable name="firsts" select="found/entry[generate-id() = generate-id(key('day', time_ms/@day)[1])]"/>
  <xsl:if test="$firsts">
    <h2 class="nhsuk-heading-m">By day</h2>
    <xsl:variable name="most"><xsl:for-each select="$firsts"><xsl:sort select="count(key('day', time_ms/@day))" data-type="number" order="descending"/><xsl:if test="position() = 1"><xsl:value-of select="count(key('day', time_ms/@day))"/></xsl:if></xsl:for-each></xsl:variable>
    <svg class="cpis-chart" viewBox="0 0 1080 240" role="img" aria-labelledby="days-title days-text">
      <title id="days-title">Records by day</title>
      <desc id="days-text"><xsl:for-each select="$firsts"><xsl:value-of select="time_ms/@date"/>: <xsl:value-of select="count(key('day', time_ms/@day))"/>. </xsl:for-each></desc>
      <path class="cpis-chart__line" d="M40 200H1060"/>
      <xsl:for-each select="$firsts">
        <xsl:variable name="day" select="number(substring(time_ms/@day, 9, 2))"/><xsl:variable name="height" select="count(key('day', time_ms/@day)) * 170 div $most"/>
        <rect class="cpis-chart__bar" x="{40 + ($day - 1) * 33}" y="{200 - $height}" width="26" height="{$height}"/>
        <text x="{53 + ($day - 1) * 33}" y="225" text-anchor="middle"><xsl:value-of select="$day"/></text>
        <text x="{53 + ($day - 1) * 33}" y="{194 - $height}" text-anchor="middle"><xsl:value-of select="count(key('day', time_ms/@day))"/></text>
      </xsl:for-each>
    </svg>
  </xsl:if>
</xsl:template>
</xsl:stylesheet>
