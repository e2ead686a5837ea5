<?xml version="1.0" encoding="UTF-8"?>
<!-- The question about a child. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/lookup" mode="title"><xsl:if test="*[@problem]">Error: </xsl:if>Look up a child</xsl:template>
<xsl:template match="/lookup" mode="content">
  <xsl:call-template name="problems"/>
  <h1 class="nhsuk-heading-l">Look up a child</h1>
  <form action="{$origin}/lookup" method="post" novalidate="novalidate" autocomplete="off">
    <xsl:call-template name="mark"/>
    <xsl:apply-templates select="nhs_number" mode="field"/>
    <xsl:apply-templates select="birth_day" mode="field"/>
    <xsl:apply-templates select="care_setting" mode="field"/>
    <xsl:apply-templates select="reason" mode="field"/>
    <p class="nhsuk-hint">If social care knows the child, the details open at once and social care is told that you looked.</p>
    <button class="nhsuk-button" type="submit">Look up</button>
  </form>
</xsl:template>

<xsl:template name="group-class"><xsl:attribute name="class">nhsuk-form-group<xsl:if test="@problem"> nhsuk-form-group--error</xsl:if></xsl:attribute></xsl:template>

<xsl:template match="nhs_number" mode="field">
  <div><xsl:call-template name="group-class"/>
    <label class="nhsuk-label nhsuk-label--s" for="nhs_number">NHS number</label>
    <div class="nhsuk-hint" id="nhs_number-hint">10 digits, such as 999 000 0018. Of an unborn child: the mother's</div>
    <xsl:apply-templates select="." mode="problem"/>
    <input id="nhs_number" name="nhs_number" type="text" inputmode="numeric" spellcheck="false" autocomplete="off" value="{.}" data-nhs-number="yes">
      <xsl:attribute name="class">nhsuk-input nhsuk-input--width-10 nhsuk-input--code<xsl:if test="@problem"> nhsuk-input--error</xsl:if></xsl:attribute>
      <xsl:attribute name="aria-describedby">nhs_number-hint<xsl:if test="@problem"> nhs_number-error</xsl:if> nhs_number-told</xsl:attribute>
    </input>
    <div class="cpis-told" id="nhs_number-told" role="status"></div>
  </div>
</xsl:template>

<xsl:template match="birth_day" mode="field">
  <div><xsl:call-template name="group-class"/>
    <fieldset class="nhsuk-fieldset" role="group" aria-describedby="birth-hint">
      <legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s">Date of birth</legend>
      <div class="nhsuk-hint" id="birth-hint">For example, 27 3 2017</div>
      <xsl:apply-templates select="." mode="problem"/>
      <div class="nhsuk-date-input">
        <xsl:call-template name="date-part"><xsl:with-param name="name">birth_day</xsl:with-param><xsl:with-param name="text">Day</xsl:with-param><xsl:with-param name="width">2</xsl:with-param></xsl:call-template>
        <xsl:call-template name="date-part"><xsl:with-param name="name">birth_month</xsl:with-param><xsl:with-param name="text">Month</xsl:with-param><xsl:with-param name="width">2</xsl:with-param></xsl:call-template>
        <xsl:call-template name="date-part"><xsl:with-param name="name">birth_year</xsl:with-param><xsl:with-param name="text">Year</xsl:with-param><xsl:with-param name="width">4</xsl:with-param></xsl:call-template>
      </div>
    </fieldset>
  </div>
</xsl:template>

<xsl:template name="date-part">
  <xsl:param name="name"/>
  <xsl:param name="text"/>
  <xsl:param name="width"/>
  <div class="nhsuk-date-input__item">
    <label class="nhsuk-label nhsuk-date-input__label" for="{$name}"><xsl:value-of select="$text"/></label>
    <input class="nhsuk-input nhsuk-date-input__input nhsuk-input--width-{$width}" id="{$name}" name="{$name}" type="text" inputmode="numeric" autocomplete="off" value="{/*/*[name() = $name]}"/>
  </div>
</xsl:template>

<xsl:template match="care_setting" mode="field">
  <xsl:variable name="typed" select="string(.)"/>
  <xsl:choose>
    <xsl:when test="count(/*/setting) &lt; 2"><input type="hidden" name="care_setting" value="{/*/setting/@code}"/></xsl:when>
    <xsl:otherwise>
      <div><xsl:call-template name="group-class"/>
        <label class="nhsuk-label nhsuk-label--s" for="care_setting">Where is the child?</label>
        <xsl:apply-templates select="." mode="problem"/>
        <select class="nhsuk-select" id="care_setting" name="care_setting">
          <xsl:for-each select="/*/setting">
            <option value="{@code}"><xsl:if test="@code = $typed"><xsl:attribute name="selected">selected</xsl:attribute></xsl:if><xsl:value-of select="."/></option>
          </xsl:for-each>
        </select>
      </div>
    </xsl:otherwise>
  </xsl:choose>
</xsl:template>

<xsl:template match="reason" mode="field">
  <div><xsl:call-template name="group-class"/>
    <label class="nhsuk-label nhsuk-label--s" for="reason">Why do you look?</label>
    <div class="nhsuk-hint" id="reason-hint">Some roles must say. Do not name the child</div>
    <xsl:apply-templates select="." mode="problem"/>
    <input class="nhsuk-input" id="reason" name="reason" type="text" maxlength="200" autocomplete="off" value="{.}" aria-describedby="reason-hint"/>
  </div>
</xsl:template>
</xsl:stylesheet>
