<?xml version="1.0" encoding="UTF-8"?>
<!-- The part of the operators' page that is told anew every few seconds. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="parts.xsl"/>
<xsl:output method="html" encoding="UTF-8" indent="no"/>
<xsl:template match="/"><xsl:apply-templates select="operations/state" mode="live"/></xsl:template>

<xsl:template match="state" mode="live">
  <p>As at <xsl:apply-templates select="time_ms" mode="instant"/>: <xsl:value-of select="broker_name"/>, version <xsl:value-of select="version"/>, <xsl:value-of select="store"/>, up since <xsl:apply-templates select="started_ms" mode="instant"/></p>
  <xsl:call-template name="warnings"/>
  <h2 class="nhsuk-heading-m">Traffic of the last five minutes</h2>
  <xsl:call-template name="traffic"/>
  <h2 class="nhsuk-heading-m">Time to an answer</h2>
  <div class="cpis-scroll" tabindex="0" role="region" aria-label="Time to an answer"><table class="nhsuk-table">
    <caption class="nhsuk-table__caption nhsuk-u-visually-hidden">From a request's arrival to its answer, in milliseconds</caption>
    <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">Milliseconds</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Answers</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Half within</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">95 in 100 within</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">99 in 100 within</th><th scope="col" class="nhsuk-table__header nhsuk-table__header--numeric">Longest</th></tr></thead>
    <tbody class="nhsuk-table__body">
      <xsl:apply-templates select="last_minute" mode="latency"><xsl:with-param name="text">Last minute</xsl:with-param></xsl:apply-templates>
      <xsl:apply-templates select="last_five_minutes" mode="latency"><xsl:with-param name="text">Last five minutes</xsl:with-param></xsl:apply-templates>
      <xsl:apply-templates select="since_start" mode="latency"><xsl:with-param name="text">Since the start</xsl:with-param></xsl:apply-templates>
    </tbody></table></div>
  <h2 class="nhsuk-heading-m">What waits to be read</h2>
  <dl class="nhsuk-summary-list">
    <xsl:call-template name="line"><xsl:with-param name="key">Oldest</xsl:with-param><xsl:with-param name="value"><xsl:choose><xsl:when test="waiting/oldest_ms"><xsl:apply-templates select="waiting/oldest_ms" mode="ago"/></xsl:when><xsl:otherwise>nothing waits</xsl:otherwise></xsl:choose></xsl:with-param></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Less than an hour</xsl:with-param><xsl:with-param name="value" select="number(concat('0', waiting/within_hour))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Up to 8 hours</xsl:with-param><xsl:with-param name="value" select="number(concat('0', waiting/within_eight_hours))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Up to a day</xsl:with-param><xsl:with-param name="value" select="number(concat('0', waiting/within_day))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Up to 3 days</xsl:with-param><xsl:with-param name="value" select="number(concat('0', waiting/within_three_days))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Older</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="number(concat('0', waiting/older))"/><xsl:if test="waiting/more">; there are more than were counted</xsl:if></xsl:with-param></xsl:call-template>
  </dl>
  <h2 class="nhsuk-heading-m">Certificates and lists</h2>
  <dl class="nhsuk-summary-list">
    <xsl:if test="certificate_until_ms"><xsl:call-template name="line"><xsl:with-param name="key">The broker's own, until</xsl:with-param><xsl:with-param name="value" select="string(certificate_until_ms/@date)"/></xsl:call-template></xsl:if>
    <xsl:if test="revocation_until_ms"><xsl:call-template name="line"><xsl:with-param name="key">Revocation lists, until</xsl:with-param><xsl:with-param name="value" select="string(revocation_until_ms/@date)"/></xsl:call-template></xsl:if>
    <xsl:call-template name="line"><xsl:with-param name="key">Systems enrolled</xsl:with-param><xsl:with-param name="value" select="number(concat('0', systems))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">That end within 60 days</xsl:with-param><xsl:with-param name="value" select="number(concat('0', expiring))"/></xsl:call-template>
    <xsl:for-each select="expiring_soonest"><xsl:call-template name="line"><xsl:with-param name="key"><xsl:value-of select="organisation"/>/<xsl:value-of select="system_name"/></xsl:with-param><xsl:with-param name="value">ends <xsl:value-of select="until_ms/@date"/></xsl:with-param></xsl:call-template></xsl:for-each>
  </dl>
  <h2 class="nhsuk-heading-m">Audit log and witnesses</h2>
  <dl class="nhsuk-summary-list">
    <xsl:call-template name="line"><xsl:with-param name="key">Records</xsl:with-param><xsl:with-param name="value" select="number(concat('0', log/size))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Last commit</xsl:with-param><xsl:with-param name="value"><xsl:choose><xsl:when test="last_commit_ms"><xsl:apply-templates select="last_commit_ms" mode="ago"/></xsl:when><xsl:otherwise>none yet</xsl:otherwise></xsl:choose></xsl:with-param></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Requests in a commit</xsl:with-param><xsl:with-param name="value"><xsl:choose><xsl:when test="commits"><xsl:value-of select="format-number(number(concat('0', committed_requests)) div commits, '0.0')"/></xsl:when><xsl:otherwise>none yet</xsl:otherwise></xsl:choose></xsl:with-param></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Witnessed</xsl:with-param><xsl:with-param name="value"><xsl:choose><xsl:when test="not(log/witnesses_wanted)">no witnesses are wanted</xsl:when><xsl:when test="log/witnessed_size"><xsl:value-of select="log/witnessed_size"/> records, <xsl:apply-templates select="log/witnessed_ms" mode="ago"/></xsl:when><xsl:otherwise>never yet</xsl:otherwise></xsl:choose></xsl:with-param></xsl:call-template>
  </dl>
  <h2 class="nhsuk-heading-m">At the door</h2>
  <dl class="nhsuk-summary-list">
    <xsl:call-template name="line"><xsl:with-param name="key">Let in</xsl:with-param><xsl:with-param name="value" select="number(concat('0', edge/admitted))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Not let in</xsl:with-param><xsl:with-param name="value" select="number(concat('0', edge/refused))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Told to come later</xsl:with-param><xsl:with-param name="value" select="number(concat('0', edge/turned_away))"/></xsl:call-template>
    <xsl:call-template name="line"><xsl:with-param name="key">Restarts of the front</xsl:with-param><xsl:with-param name="value" select="number(concat('0', edge/restarts))"/></xsl:call-template>
  </dl>
</xsl:template>

<xsl:template name="line"><xsl:param name="key"/><xsl:param name="value"/><xsl:call-template name="row"><xsl:with-param name="key" select="$key"/><xsl:with-param name="value" select="$value"/></xsl:call-template></xsl:template>

<!-- What somebody should do something about; the script says it when it changes. -->
<xsl:template name="warnings">
  <xsl:variable name="day" select="86400000"/>
  <xsl:if test="failed_commits or (certificate_until_ms and certificate_until_ms - time_ms &lt; 30 * $day) or (revocation_until_ms and revocation_until_ms - time_ms &lt; 7 * $day) or (waiting/oldest_ms and time_ms - waiting/oldest_ms &gt; 3 * $day) or (log/witnesses_wanted and not(log/witnessed_ms and time_ms - log/witnessed_ms &lt; $day))">
    <div class="nhsuk-warning-callout" id="live-warnings">
      <h2 class="nhsuk-warning-callout__label">Something needs you</h2>
      <ul class="nhsuk-list nhsuk-list--bullet">
        <xsl:if test="failed_commits"><li><xsl:value-of select="failed_commits"/> commits failed since the start: look at the disk and the log</li></xsl:if>
        <xsl:if test="certificate_until_ms and certificate_until_ms - time_ms &lt; 30 * $day"><li>The broker's certificate ends on <xsl:value-of select="certificate_until_ms/@date"/></li></xsl:if>
        <xsl:if test="revocation_until_ms and revocation_until_ms - time_ms &lt; 7 * $day"><li>A revocation list ends on <xsl:value-of select="revocation_until_ms/@date"/>: nobody is answered then</li></xsl:if>
        <xsl:if test="waiting/oldest_ms and time_ms - waiting/oldest_ms &gt; 3 * $day"><li>A notification has not been read for more than 3 days</li></xsl:if>
        <xsl:if test="log/witnesses_wanted and not(log/witnessed_ms and time_ms - log/witnessed_ms &lt; $day)"><li>The log has not been witnessed for more than a day</li></xsl:if>
      </ul>
    </div>
  </xsl:if>
</xsl:template>

<xsl:template match="*" mode="latency">
  <xsl:param name="text"/>
  <tr class="nhsuk-table__row"><th scope="row" class="nhsuk-table__cell"><xsl:value-of select="$text"/></th>
    <td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:value-of select="number(concat('0', count))"/></td>
    <xsl:call-template name="ms"><xsl:with-param name="us" select="p50_us"/></xsl:call-template><xsl:call-template name="ms"><xsl:with-param name="us" select="p95_us"/></xsl:call-template>
    <xsl:call-template name="ms"><xsl:with-param name="us" select="p99_us"/></xsl:call-template><xsl:call-template name="ms"><xsl:with-param name="us" select="max_us"/></xsl:call-template></tr>
</xsl:template>
<xsl:template name="ms"><xsl:param name="us"/><td class="nhsuk-table__cell nhsuk-table__cell--numeric"><xsl:choose><xsl:when test="$us"><xsl:value-of select="format-number($us div 1000, '0.0')"/></xsl:when><xsl:otherwise>none</xsl:otherwise></xsl:choose></td></xsl:template>

<!-- A bar for each second: allowed, and refused on top of them. -->
<xsl:template name="traffic">
  <xsl:variable name="seconds" select="count(seconds/allowed)"/>
  <xsl:variable name="all" select="sum(seconds/allowed) + sum(seconds/refused)"/>
  <xsl:variable name="most"><xsl:for-each select="seconds/allowed"><xsl:sort select="." data-type="number" order="descending"/><xsl:if test="position() = 1"><xsl:value-of select="."/></xsl:if></xsl:for-each></xsl:variable>
  <xsl:variable name="top"><xsl:choose><xsl:when test="$most &gt; 1"><xsl:value-of select="$most"/></xsl:when><xsl:otherwise>1</xsl:otherwise></xsl:choose></xsl:variable>
  <svg class="cpis-chart" viewBox="-20 0 1100 220" role="img" aria-labelledby="traffic-title traffic-text">
    <title id="traffic-title">Requests by second</title>
    <desc id="traffic-text"><xsl:value-of select="$all"/> requests in <xsl:value-of select="$seconds"/> seconds, <xsl:value-of select="sum(seconds/refused)"/> of them refused.</desc>
    <path class="cpis-chart__line" d="M60 180H1060"/>
    <text x="50" y="30" text-anchor="end"><xsl:value-of select="$top"/></text><text x="50" y="186" text-anchor="end">0</text>
    <text x="60" y="210"><xsl:value-of select="$seconds"/> s ago</text><text x="1060" y="210" text-anchor="end">now</text>
    <xsl:for-each select="seconds/allowed[. &gt; 0]">
      <xsl:variable name="at" select="60 * count(../preceding-sibling::seconds) + count(preceding-sibling::allowed)"/><xsl:variable name="height" select="(. div $top) * 150"/>
      <rect class="cpis-chart__bar" x="{60 + $at * 1000 div $seconds}" y="{180 - $height}" width="{900 div $seconds}" height="{$height}"/>
    </xsl:for-each>
    <xsl:for-each select="seconds/refused[. &gt; 0]">
      <xsl:variable name="at" select="60 * count(../preceding-sibling::seconds) + count(preceding-sibling::refused)"/>
      <path class="cpis-chart__refused" d="M{60 + $at * 1000 div $seconds - 4} 12l8 8m0 -8l-8 8"/>
    </xsl:for-each>
  </svg>
  <p><xsl:value-of select="$all"/> requests in <xsl:value-of select="$seconds"/> seconds, <xsl:value-of select="sum(seconds/refused)"/> of them refused (crosses).</p>
</xsl:template>
</xsl:stylesheet>
