<?xml version="1.0" encoding="UTF-8"?>
<!-- The answer about a child: in words first, then whom to ring. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/answer" mode="title">Answer</xsl:template>

<xsl:template match="/answer" mode="content">
  <xsl:choose>
    <xsl:when test="@state = 'refused'"><xsl:call-template name="refused"/></xsl:when>
    <xsl:when test="@state = 'none'"><xsl:call-template name="none"/></xsl:when>
    <xsl:otherwise><xsl:call-template name="known"/></xsl:otherwise>
  </xsl:choose>
  <p class="cpis-no-print"><a href="{$origin}/lookup">Look up another child</a></p>
</xsl:template>

<xsl:template name="number"><p>NHS number <span class="cpis-number"><xsl:value-of select="number/@spaced"/></span></p></xsl:template>

<xsl:template name="not-available">
  <xsl:if test="*/not_available_from">
    <div class="nhsuk-warning-callout">
      <h2 class="nhsuk-warning-callout__label">Not everybody could be asked</h2>
      <p>No answer came from: <xsl:for-each select="*/not_available_from"><xsl:value-of select="."/><xsl:if test="position() != last()">, </xsl:if></xsl:for-each>.
        There may be a plan there. Try again, or ring.</p>
    </div>
  </xsl:if>
</xsl:template>

<!-- "This child has a child protection plan and is a looked after child" -->
<xsl:template name="sentence">
  <xsl:choose>
    <xsl:when test="not(current)">This child had a plan that has ended</xsl:when>
    <xsl:otherwise>
      <xsl:for-each select="current">
        <xsl:choose>
          <xsl:when test="position() = 1 and . = 'CPP'">This child has a child protection plan</xsl:when>
          <xsl:when test="position() = 1 and . = 'LAC'">This child is looked after by social care</xsl:when>
          <xsl:when test="position() = 1">The unborn child of this woman has a child protection plan</xsl:when>
          <xsl:when test=". = 'CPP'"> and has a child protection plan</xsl:when>
          <xsl:when test=". = 'LAC'"> and is looked after by social care</xsl:when>
          <xsl:otherwise> and there is a child protection plan for an unborn child</xsl:otherwise>
        </xsl:choose>
      </xsl:for-each>
    </xsl:otherwise>
  </xsl:choose>
</xsl:template>

<xsl:template name="known">
  <div class="cpis-answer cpis-answer--known" role="status">
    <h1 class="nhsuk-heading-l"><xsl:call-template name="sentence"/></h1>
    <xsl:call-template name="number"/>
  </div>
  <xsl:if test="details/birth_date_differs">
    <div class="nhsuk-warning-callout">
      <h2 class="nhsuk-warning-callout__label">Is this the right child?</h2>
      <p>Social care has another date of birth for this NHS number than you gave. Check the number and the date before you go on.</p>
    </div>
  </xsl:if>
  <xsl:call-template name="not-available"/>
  <xsl:if test="details/notice"><div class="nhsuk-inset-text"><p><xsl:value-of select="details/notice"/></p></div></xsl:if>
  <h2 class="nhsuk-heading-m">Whom to ring now</h2>
  <xsl:apply-templates select="details/plans/authority[not(organisation = ../preceding-sibling::plans/authority/organisation)]"/>
  <h2 class="nhsuk-heading-m">Plans</h2>
  <div class="cpis-scroll" tabindex="0" role="region" aria-label="Plans"><table class="nhsuk-table">
    <caption class="nhsuk-table__caption nhsuk-u-visually-hidden">Plans, current ones and those that ended in the last 12 months</caption>
    <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">Kind</th><th scope="col" class="nhsuk-table__header">From</th><th scope="col" class="nhsuk-table__header">Until</th><th scope="col" class="nhsuk-table__header">Local authority</th></tr></thead>
    <tbody class="nhsuk-table__body">
      <xsl:for-each select="details/plans">
        <tr class="nhsuk-table__row">
          <td class="nhsuk-table__cell"><xsl:apply-templates select="type" mode="plan-type"/>
            <xsl:if test="status = 'ENDED'"><xsl:text> </xsl:text><strong class="nhsuk-tag nhsuk-tag--grey">Ended</strong></xsl:if></td>
          <td class="nhsuk-table__cell"><xsl:value-of select="start_date/@date"/></td>
          <td class="nhsuk-table__cell"><xsl:choose><xsl:when test="end_date"><xsl:value-of select="end_date/@date"/></xsl:when><xsl:otherwise>open</xsl:otherwise></xsl:choose></td>
          <td class="nhsuk-table__cell"><xsl:value-of select="authority/name"/></td>
        </tr>
      </xsl:for-each>
    </tbody>
  </table></div>
  <h2 class="nhsuk-heading-m">Seen before in unscheduled care</h2>
  <xsl:choose>
    <xsl:when test="details/accesses">
      <ol class="cpis-timeline">
        <xsl:for-each select="details/accesses">
          <li class="cpis-timeline__item"><strong><xsl:apply-templates select="time_ms" mode="instant"/></strong> (<xsl:apply-templates select="time_ms" mode="ago"/>)<br/>
            <xsl:value-of select="organisation_name"/><xsl:if test="care_setting">, <xsl:value-of select="care_setting/@words"/></xsl:if>:
            <xsl:value-of select="name"/>, <xsl:value-of select="role_name"/></li>
        </xsl:for-each>
      </ol>
    </xsl:when>
    <xsl:otherwise><p>Nobody looked before you.</p></xsl:otherwise>
  </xsl:choose>
  <xsl:if test="details/notified = 'yes'"><p>Social care has been told that you looked.</p></xsl:if>
  <div class="cpis-print-only">
    <p>Printed by <xsl:value-of select="person/name"/>, <xsl:value-of select="person/organisation_name"/>, <xsl:apply-templates select="now" mode="instant"/>, for the safeguarding form.</p>
    <p>Spoken to: ____________________________ at: ____________</p>
    <p>Agreed: ______________________________________________</p>
    <p>Signature: ____________________________</p>
  </div>
</xsl:template>

<xsl:template match="authority">
  <div class="nhsuk-card"><div class="nhsuk-card__content">
    <h3 class="nhsuk-card__heading nhsuk-heading-s"><xsl:value-of select="name"/></h3>
    <p class="cpis-ring"><xsl:apply-templates select="ring_now" mode="telephone"/><xsl:text> </xsl:text>
      <xsl:choose><xsl:when test="office_hours_now = 'yes'">(office, by the clock now; at bank holidays ring the emergency duty team)</xsl:when><xsl:otherwise>(emergency duty team, by the clock now)</xsl:otherwise></xsl:choose></p>
    <dl class="nhsuk-summary-list">
      <xsl:if test="emergency_duty_telephone"><xsl:call-template name="row"><xsl:with-param name="key">Emergency duty team</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="emergency_duty_telephone" mode="telephone"/></xsl:with-param></xsl:call-template></xsl:if>
      <xsl:if test="office_hours_telephone"><xsl:call-template name="row"><xsl:with-param name="key">Office hours</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="office_hours_telephone" mode="telephone"/></xsl:with-param></xsl:call-template></xsl:if>
      <xsl:if test="last_published_ms"><xsl:call-template name="row"><xsl:with-param name="key">Data from</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="last_published_ms" mode="instant"/> (<xsl:apply-templates select="last_published_ms" mode="ago"/>)</xsl:with-param></xsl:call-template></xsl:if>
      <xsl:if test="contacts_confirmed_ms"><xsl:call-template name="row"><xsl:with-param name="key">Telephones confirmed</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="contacts_confirmed_ms" mode="ago"/></xsl:with-param></xsl:call-template></xsl:if>
    </dl>
    <xsl:if test="contacts_stale = 'yes'"><p><strong class="nhsuk-tag nhsuk-tag--yellow">May be out of date</strong> The authority has not confirmed its telephones for a long time.</p></xsl:if>
  </div></div>
</xsl:template>

<xsl:template name="none">
  <div class="cpis-answer" role="status">
    <h1 class="nhsuk-heading-l">No plan is known here. That does not mean no concern.</h1>
    <xsl:call-template name="number"/>
  </div>
  <xsl:call-template name="not-available"/>
  <p><xsl:value-of select="flag/notice"/></p>
</xsl:template>

<xsl:template name="refused">
  <h1 class="nhsuk-heading-l">The service did not open this</h1>
  <p><xsl:value-of select="reason"/></p>
  <p>This says nothing about the child. If you are worried, follow your safeguarding procedure and ring social care.</p>
  <xsl:if test="may_break_glass">
    <h2 class="nhsuk-heading-m">In an emergency</h2>
    <form action="{$origin}/lookup/break-glass" method="post">
      <xsl:call-template name="mark"/>
      <input type="hidden" name="nhs_number" value="{number}"/>
      <input type="hidden" name="care_setting" value="{care_setting}"/>
      <div class="nhsuk-form-group">
        <label class="nhsuk-label" for="reason">Why must you see this child's details now?</label>
        <div class="nhsuk-hint" id="reason-hint">At least 10 characters. Your privacy officer will read it</div>
        <input class="nhsuk-input" id="reason" name="reason" type="text" maxlength="200" autocomplete="off" aria-describedby="reason-hint" required="required"/>
      </div>
      <button class="nhsuk-button nhsuk-button--warning" type="submit">Go on to breaking the glass</button>
    </form>
  </xsl:if>
  <p class="nhsuk-body-s">For your helpdesk: <code><xsl:value-of select="reason_code"/></code></p>
</xsl:template>
</xsl:stylesheet>
