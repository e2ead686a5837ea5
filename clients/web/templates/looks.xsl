<?xml version="1.0" encoding="UTF-8"?>
<!-- Who looked: the question, a chart of the answer, and the same as a table. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="audit.xsl"/>
<xsl:template match="/looks" mode="title"><xsl:if test="*[@problem]">Error: </xsl:if>Who looked</xsl:template>
<xsl:template match="/looks" mode="content">
  <xsl:call-template name="problems"/>
  <xsl:call-template name="audit-navigation"><xsl:with-param name="here">search</xsl:with-param></xsl:call-template>
  <h1 class="nhsuk-heading-l">Who looked</h1>
  <form action="{$origin}/audit/search" method="post" novalidate="novalidate" autocomplete="off">
    <xsl:call-template name="mark"/>
    <xsl:apply-templates select="uid" mode="field"><xsl:with-param name="label">Staff number of the person who looked</xsl:with-param><xsl:with-param name="hint">12 digits. Or leave it out, and give the child</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="nhs_number" mode="field"><xsl:with-param name="label">NHS number of the child that was looked at</xsl:with-param><xsl:with-param name="hint">10 digits</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="from" mode="field"><xsl:with-param name="label">From</xsl:with-param><xsl:with-param name="hint">A day such as 2026-11-01. Left out: the last 7 days</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="until" mode="field"><xsl:with-param name="label">Until</xsl:with-param><xsl:with-param name="hint">That day included. Left out: today</xsl:with-param></xsl:apply-templates>
    <button class="nhsuk-button" type="submit">Show</button>
  </form>
  <xsl:apply-templates select="found"/>
</xsl:template>

<xsl:template match="*" mode="field">
  <xsl:param name="label"/><xsl:param name="hint"/>
  <div><xsl:attribute name="class">nhsuk-form-group<xsl:if test="@problem"> nhsuk-form-group--error</xsl:if></xsl:attribute>
    <label class="nhsuk-label nhsuk-label--s" for="{name()}"><xsl:value-of select="$label"/></label>
    <div class="nhsuk-hint" id="{name()}-hint"><xsl:value-of select="$hint"/></div>
    <xsl:apply-templates select="." mode="problem"/>
    <input class="nhsuk-input nhsuk-input--width-20" id="{name()}" name="{name()}" type="text" autocomplete="off" value="{.}" aria-describedby="{name()}-hint"/>
  </div>
</xsl:template>

<xsl:template match="found">
  <h2 class="nhsuk-heading-m">From <xsl:value-of select="first/@date"/> until <xsl:value-of select="last/@date"/></h2>
  <xsl:choose>
    <xsl:when test="not(entry) and @cut"><p>Nothing was found yet: the log is long. Choose a shorter time.</p></xsl:when>
    <xsl:when test="not(entry)"><p>Nobody did anything that you may see.</p></xsl:when>
    <xsl:otherwise>
      <p><xsl:value-of select="count(entry)"/> records<xsl:if test="@cut">: the first of more; choose a shorter time</xsl:if>.
        Of them <xsl:value-of select="count(entry[@kind = 'opened' or @kind = 'silent' or @kind = 'glass'])"/> opened details, <xsl:value-of select="count(entry[@kind = 'refused'])"/> were refused, <xsl:value-of select="count(entry[@kind = 'glass'])"/> broke the glass.</p>
      <xsl:call-template name="chart"/>
      <div class="cpis-scroll" tabindex="0" role="region" aria-label="Records"><table class="nhsuk-table">
        <caption class="nhsuk-table__caption nhsuk-u-visually-hidden">The same records, oldest first</caption>
        <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">When</th><th scope="col" class="nhsuk-table__header">What</th><th scope="col" class="nhsuk-table__header"><xsl:choose><xsl:when test="@by = 'child'">By whom</xsl:when><xsl:otherwise>About whom</xsl:otherwise></xsl:choose></th><th scope="col" class="nhsuk-table__header">Record</th></tr></thead>
        <tbody class="nhsuk-table__body"><xsl:for-each select="entry"><tr class="nhsuk-table__row">
          <td class="nhsuk-table__cell"><xsl:apply-templates select="time_ms" mode="instant"/></td>
          <td class="nhsuk-table__cell"><xsl:apply-templates select="." mode="did"/><xsl:if test="reason_code"> (<xsl:value-of select="reason_code"/>)</xsl:if></td>
          <td class="nhsuk-table__cell"><xsl:choose><xsl:when test="erased">erased</xsl:when><xsl:when test="../@by = 'child'"><xsl:value-of select="detail/name"/>, <xsl:value-of select="detail/role_name"/><br/><xsl:value-of select="detail/organisation_name"/></xsl:when><xsl:otherwise><xsl:value-of select="detail/nhs_number/@spaced"/></xsl:otherwise></xsl:choose></td>
          <td class="nhsuk-table__cell"><a href="{$origin}/audit/record?no={index + 0}"><xsl:value-of select="number(concat('0', index))"/></a></td>
        </tr></xsl:for-each></tbody>
      </table></div>
    </xsl:otherwise>
  </xsl:choose>
</xsl:template>

<!-- Across: the period. Down: the hours of the day. -->
<xsl:template name="chart">
  <svg class="cpis-chart" viewBox="-20 0 1100 400" role="img" aria-labelledby="chart-title chart-text">
    <title id="chart-title">When it was done</title>
    <desc id="chart-text">Each record by its day and hour. The table below has the same.</desc>
    <rect class="cpis-chart__night" x="60" y="20" width="1000" height="105"/><rect class="cpis-chart__night" x="60" y="305" width="1000" height="55"/>
    <xsl:call-template name="hour"><xsl:with-param name="y">20</xsl:with-param><xsl:with-param name="text">00:00</xsl:with-param></xsl:call-template>
    <xsl:call-template name="hour"><xsl:with-param name="y">105</xsl:with-param><xsl:with-param name="text">06:00</xsl:with-param></xsl:call-template>
    <xsl:call-template name="hour"><xsl:with-param name="y">190</xsl:with-param><xsl:with-param name="text">12:00</xsl:with-param></xsl:call-template>
    <xsl:call-template name="hour"><xsl:with-param name="y">275</xsl:with-param><xsl:with-param name="text">18:00</xsl:with-param></xsl:call-template>
    <xsl:call-template name="hour"><xsl:with-param name="y">360</xsl:with-param><xsl:with-param name="text">24:00</xsl:with-param></xsl:call-template>
    <text x="60" y="390"><xsl:value-of select="first/@day"/></text><text x="1060" y="390" text-anchor="end"><xsl:value-of select="last/@day"/></text>
    <xsl:for-each select="entry">
      <xsl:variable name="x" select="60 + @x"/><xsl:variable name="y" select="20 + @y * 340 div 1440"/>
      <xsl:choose>
        <xsl:when test="@kind = 'refused'"><path class="cpis-chart__refused" d="M{$x - 7} {$y - 7}L{$x + 7} {$y + 7}M{$x + 7} {$y - 7}L{$x - 7} {$y + 7}"/></xsl:when>
        <xsl:when test="@kind = 'glass'"><path class="cpis-chart__glass" d="M{$x} {$y - 11}L{$x + 11} {$y}L{$x} {$y + 11}L{$x - 11} {$y}Z"/></xsl:when>
        <xsl:when test="@kind = 'opened'"><circle class="cpis-chart__opened" cx="{$x}" cy="{$y}" r="7"/></xsl:when>
        <xsl:when test="@kind = 'silent'"><rect class="cpis-chart__asked" x="{$x - 6}" y="{$y - 6}" width="12" height="12"/></xsl:when>
        <xsl:otherwise><circle class="cpis-chart__asked" cx="{$x}" cy="{$y}" r="6"/></xsl:otherwise>
      </xsl:choose>
    </xsl:for-each>
  </svg>
  <ul class="nhsuk-list cpis-key">
    <li><svg viewBox="0 0 24 24" aria-hidden="true"><circle class="cpis-chart__opened" cx="12" cy="12" r="7"/></svg> opened details</li>
    <li><svg viewBox="0 0 24 24" aria-hidden="true"><circle class="cpis-chart__asked" cx="12" cy="12" r="6"/></svg> anything else</li>
    <li><svg viewBox="0 0 24 24" aria-hidden="true"><rect class="cpis-chart__asked" x="6" y="6" width="12" height="12"/></svg> opened details silently</li>
    <li><svg viewBox="0 0 24 24" aria-hidden="true"><path class="cpis-chart__refused" d="M5 5L19 19M19 5L5 19"/></svg> refused</li>
    <li><svg viewBox="0 0 24 24" aria-hidden="true"><path class="cpis-chart__glass" d="M12 1L23 12L12 23L1 12Z"/></svg> broke the glass</li>
  </ul>
</xsl:template>
<xsl:template name="hour"><xsl:param name="y"/><xsl:param name="text"/><path class="cpis-chart__line" d="M60 {$y}H1060"/><text x="50" y="{$y + 5}" text-anchor="end"><xsl:value-of select="$text"/></text></xsl:template>
</xsl:stylesheet>
