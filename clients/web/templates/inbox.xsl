<?xml version="1.0" encoding="UTF-8"?>
<!-- The inbox. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/inbox" mode="title"><xsl:if test="unsent">Error: </xsl:if>Inbox</xsl:template>

<xsl:template match="/inbox" mode="content">
  <xsl:if test="unsent">
    <div class="nhsuk-error-summary" tabindex="-1" data-focus="yes"><div role="alert">
      <h2 class="nhsuk-error-summary__heading">There is a problem</h2>
      <div class="nhsuk-error-summary__body"><ul class="nhsuk-list nhsuk-error-summary__list"><li><a href="#text-{unsent/@about}"><xsl:value-of select="unsent/@problem"/></a></li></ul></div>
    </div></div>
  </xsl:if>
  <h1 class="nhsuk-heading-l">Inbox of <xsl:value-of select="person/organisation_name"/></h1>
  <p><xsl:choose>
    <xsl:when test="not(list/unacknowledged)">Nothing is waiting for you.</xsl:when>
    <xsl:when test="list/unacknowledged = 1">1 item is waiting.</xsl:when>
    <xsl:otherwise><xsl:value-of select="list/unacknowledged"/> items are waiting.</xsl:otherwise>
  </xsl:choose></p>
  <nav aria-label="Which items"><ul class="nhsuk-list cpis-tabs">
    <xsl:call-template name="tab"><xsl:with-param name="show">new</xsl:with-param><xsl:with-param name="path">/inbox</xsl:with-param><xsl:with-param name="text">New</xsl:with-param></xsl:call-template>
    <xsl:call-template name="tab"><xsl:with-param name="show">all</xsl:with-param><xsl:with-param name="path">/inbox?show=all</xsl:with-param><xsl:with-param name="text">All, acknowledged too</xsl:with-param></xsl:call-template>
    <xsl:call-template name="tab"><xsl:with-param name="show">escalated</xsl:with-param><xsl:with-param name="path">/inbox?show=escalated</xsl:with-param><xsl:with-param name="text">Escalated</xsl:with-param></xsl:call-template>
  </ul></nav>
  <xsl:apply-templates select="list/items"/>
  <xsl:if test="next"><p><a href="{$origin}/inbox?show={@show}&amp;after={next}">More</a></p></xsl:if>
</xsl:template>

<xsl:template name="tab">
  <xsl:param name="show"/><xsl:param name="path"/><xsl:param name="text"/>
  <li><a href="{$origin}{$path}"><xsl:if test="/*/@show = $show"><xsl:attribute name="aria-current">page</xsl:attribute></xsl:if><xsl:value-of select="$text"/></a></li>
</xsl:template>

<xsl:template match="items">
  <div class="nhsuk-card" id="item-{id}"><div class="nhsuk-card__content">
    <h2 class="nhsuk-card__heading nhsuk-heading-m"><xsl:apply-templates select="*" mode="heading"/></h2>
    <p class="nhsuk-body-s"><xsl:apply-templates select="created_ms" mode="instant"/> (<xsl:apply-templates select="created_ms" mode="ago"/>)
      <xsl:if test="escalated_ms"><xsl:text> </xsl:text><strong class="nhsuk-tag nhsuk-tag--red">Escalated</strong></xsl:if>
      <xsl:choose>
        <xsl:when test="acknowledged_ms"><xsl:text> </xsl:text><strong class="nhsuk-tag nhsuk-tag--green"><xsl:choose><xsl:when test="settlement = 'ACTED_ON'">Acted on</xsl:when><xsl:otherwise>Seen</xsl:otherwise></xsl:choose></strong>
          by <xsl:value-of select="acknowledged_by"/>, <xsl:apply-templates select="acknowledged_ms" mode="instant"/></xsl:when>
        <xsl:otherwise><xsl:text> </xsl:text><strong class="nhsuk-tag">New</strong></xsl:otherwise>
      </xsl:choose></p>
    <dl class="nhsuk-summary-list"><xsl:apply-templates select="*" mode="rows"/></dl>
    <xsl:if test="not(acknowledged_ms) and /*/person/activity = 'L0103'"><xsl:call-template name="acknowledge"/></xsl:if>
    <xsl:if test="access and /*/person/activity = 'L0105' and /*/@show != 'escalated'"><xsl:call-template name="words"><xsl:with-param name="path">/inbox/ask</xsl:with-param><xsl:with-param name="open">Ask who looked</xsl:with-param><xsl:with-param name="label">Your question to <xsl:value-of select="access/access/name"/></xsl:with-param><xsl:with-param name="button">Send the question</xsl:with-param></xsl:call-template></xsl:if>
    <xsl:if test="enquiry and /*/person/activity = 'L0106'"><xsl:call-template name="words"><xsl:with-param name="path">/inbox/answer</xsl:with-param><xsl:with-param name="open">Answer</xsl:with-param><xsl:with-param name="label">Your answer to <xsl:value-of select="enquiry/asked_by"/></xsl:with-param><xsl:with-param name="button">Send the answer</xsl:with-param></xsl:call-template></xsl:if>
  </div></div>
</xsl:template>

<xsl:template name="acknowledge">
  <form action="{$origin}/inbox/acknowledge" method="post" class="cpis-inline">
    <xsl:call-template name="mark"/>
    <input type="hidden" name="id" value="{id}"/>
    <input type="hidden" name="show" value="{/*/@show}"/>
    <button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="submit" name="settlement" value="seen">Seen<span class="nhsuk-u-visually-hidden"> item <xsl:value-of select="id"/></span></button>
    <button class="nhsuk-button nhsuk-button--small" type="submit" name="settlement" value="acted_on">Acted on<span class="nhsuk-u-visually-hidden"> item <xsl:value-of select="id"/></span></button>
  </form>
</xsl:template>

<xsl:template name="words">
  <xsl:param name="path"/><xsl:param name="open"/><xsl:param name="label"/><xsl:param name="button"/>
  <xsl:variable name="unsent" select="/*/unsent[@about = current()/id]"/>
  <details class="nhsuk-details">
    <xsl:if test="$unsent"><xsl:attribute name="open">open</xsl:attribute></xsl:if>
    <summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text"><xsl:value-of select="$open"/></span></summary>
    <div class="nhsuk-details__text">
      <form action="{$origin}{$path}" method="post">
        <xsl:call-template name="mark"/>
        <input type="hidden" name="id" value="{id}"/>
        <input type="hidden" name="show" value="{/*/@show}"/>
        <div class="nhsuk-form-group">
          <label class="nhsuk-label" for="text-{id}"><xsl:copy-of select="$label"/></label>
          <div class="nhsuk-hint" id="hint-{id}">10 to 1,000 characters</div>
          <xsl:if test="$unsent"><span class="nhsuk-error-message" id="text-{id}-error"><span class="nhsuk-u-visually-hidden">Error: </span><xsl:value-of select="$unsent/@problem"/></span></xsl:if>
          <textarea class="nhsuk-textarea" id="text-{id}" name="text" rows="4" maxlength="1000" aria-describedby="hint-{id}"><xsl:value-of select="$unsent"/></textarea>
        </div>
        <button class="nhsuk-button" type="submit"><xsl:value-of select="$button"/></button>
      </form>
    </div>
  </details>
</xsl:template>

<!-- What each kind is called. -->
<xsl:template match="*" mode="heading"/>
<xsl:template match="access" mode="heading"><xsl:if test="break_glass">The glass was broken: </xsl:if>A child was seen: <xsl:call-template name="number"/></xsl:template>
<xsl:template match="correction" mode="heading">What you saw was wrong: <xsl:call-template name="number"/></xsl:template>
<xsl:template match="plan_change" mode="heading">A plan has changed since you looked: <xsl:call-template name="number"/></xsl:template>
<xsl:template match="not_brought" mode="heading">A child was not brought: <xsl:call-template name="number"/></xsl:template>
<xsl:template match="enquiry" mode="heading">Social care asks you about <xsl:call-template name="number"/></xsl:template>
<xsl:template match="answer" mode="heading">An answer to your question about <xsl:call-template name="number"/></xsl:template>
<xsl:template match="inactive_number" mode="heading">An NHS number is out of use: <xsl:call-template name="number"/></xsl:template>
<xsl:template match="publication" mode="heading">Your file number <xsl:value-of select="sequence"/> was released</xsl:template>
<xsl:template match="progress" mode="heading">What became of what you sent: <xsl:value-of select="event/@words"/></xsl:template>
<xsl:template match="digest" mode="heading"><xsl:value-of select="count(accesses)"/> children were seen, none of it urgent</xsl:template>
<xsl:template match="nothing" mode="heading">Nothing to report</xsl:template>
<xsl:template name="number"><span class="cpis-number"><xsl:value-of select="nhs_number/@spaced"/></span></xsl:template>

<!-- What each kind says. -->
<xsl:template match="*" mode="rows"/>
<xsl:template match="access | correction | plan_change | not_brought | enquiry | answer | inactive_number | publication | progress | nothing" mode="rows"><xsl:apply-templates select="*" mode="row"/></xsl:template>
<xsl:template match="digest" mode="rows">
  <xsl:for-each select="accesses"><xsl:call-template name="row"><xsl:with-param name="key"><xsl:value-of select="nhs_number/@spaced"/></xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="access" mode="who"/></xsl:with-param></xsl:call-template></xsl:for-each>
</xsl:template>
<xsl:template match="*" mode="row"/>
<xsl:template match="access | sender" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">By</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="." mode="who"/></xsl:with-param></xsl:call-template></xsl:template>
<xsl:template match="access | sender" mode="who"><xsl:value-of select="name"/>, <xsl:value-of select="role_name"/><br/><xsl:value-of select="organisation_name"/><xsl:if test="care_setting">, <xsl:value-of select="care_setting/@words"/></xsl:if><br/><xsl:apply-templates select="time_ms" mode="instant"/></xsl:template>
<xsl:template match="plan_types | plan_type" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Known for</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="." mode="plan-type"/></xsl:with-param></xsl:call-template></xsl:template>
<xsl:template match="local_id" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Your own number</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="reason" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Reason given</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="authority_name | organisation_name" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">From</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="asked_by | answered_by | by | released_by" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Name</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="telephone" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Ring</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="." mode="telephone"/></xsl:with-param></xsl:call-template></xsl:template>
<xsl:template match="question" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">You asked</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="message_text" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Words</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="appointment_date" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Appointment</xsl:with-param><xsl:with-param name="value" select="string(@date)"/></xsl:call-template></xsl:template>
<xsl:template match="time_ms | from_ms | until_ms" mode="row"><xsl:call-template name="row"><xsl:with-param name="key"><xsl:choose><xsl:when test="name() = 'from_ms'">From</xsl:when><xsl:when test="name() = 'until_ms'">Until</xsl:when><xsl:otherwise>When</xsl:otherwise></xsl:choose></xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="." mode="instant"/></xsl:with-param></xsl:call-template></xsl:template>
<xsl:template match="received | stored | rejected" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Records <xsl:value-of select="name()"/></xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
<xsl:template match="audit_index" mode="row"><xsl:call-template name="row"><xsl:with-param name="key">Audit record</xsl:with-param><xsl:with-param name="value" select="string(.)"/></xsl:call-template></xsl:template>
</xsl:stylesheet>
