<?xml version="1.0" encoding="UTF-8"?>
<!-- One case: why, what was done, what can be done. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="audit.xsl"/>
<xsl:template match="/case" mode="title"><xsl:if test="*[@problem]">Error: </xsl:if>Case <xsl:value-of select="alert/id"/></xsl:template>
<xsl:template match="/case" mode="content">
  <xsl:call-template name="problems"/>
  <xsl:call-template name="audit-navigation"/>
  <h1 class="nhsuk-heading-l">Case <xsl:value-of select="alert/id"/>: <xsl:apply-templates select="alert/kind" mode="kind"/></h1>
  <dl class="nhsuk-summary-list">
    <xsl:call-template name="row"><xsl:with-param name="key">State</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="alert/state" mode="state"/><xsl:if test="alert/assigned_to"> given to <xsl:value-of select="alert/assigned_to"/></xsl:if></xsl:with-param></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">Since</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="alert/created_ms" mode="instant"/></xsl:with-param></xsl:call-template>
    <xsl:call-template name="row"><xsl:with-param name="key">The access</xsl:with-param><xsl:with-param name="value"><a href="{$origin}/audit/record?no={alert/audit_index + 0}">Record <xsl:value-of select="alert/audit_index"/></a></xsl:with-param></xsl:call-template>
    <xsl:if test="alert/found">
      <xsl:call-template name="row"><xsl:with-param name="key">What was found</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="alert/found/words"/></xsl:with-param></xsl:call-template>
      <xsl:call-template name="row"><xsl:with-param name="key">By the rule</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="alert/found/rule"/>, severity <xsl:apply-templates select="alert/found/severity" mode="severity"/><xsl:if test="alert/found/about_system">, about the system rather than the person</xsl:if></xsl:with-param></xsl:call-template>
      <xsl:if test="alert/found/held_until_ms"><xsl:call-template name="row"><xsl:with-param name="key">Held back until</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="alert/found/held_until_ms" mode="instant"/></xsl:with-param></xsl:call-template></xsl:if>
    </xsl:if>
    <xsl:if test="alert/finding"><xsl:call-template name="row"><xsl:with-param name="key">Outcome</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="alert/finding" mode="outcome"/>. <xsl:value-of select="alert/words"/> (<xsl:value-of select="alert/reviewed_by"/>, <xsl:apply-templates select="alert/reviewed_ms" mode="instant"/>)</xsl:with-param></xsl:call-template></xsl:if>
  </dl>
  <xsl:if test="alert/steps">
    <h2 class="nhsuk-heading-m">What was done</h2>
    <ol class="cpis-timeline"><xsl:for-each select="alert/steps"><li class="cpis-timeline__item"><strong><xsl:apply-templates select="time_ms" mode="instant"/></strong><br/><xsl:value-of select="by"/>:
      <xsl:choose><xsl:when test="kind = 'STEP_ASSIGNED'">gave it to <xsl:value-of select="words"/></xsl:when><xsl:when test="kind = 'STEP_OUTCOME'"><xsl:apply-templates select="finding" mode="outcome"/>. <xsl:value-of select="words"/></xsl:when><xsl:when test="kind = 'STEP_NOTE'"><xsl:value-of select="words"/></xsl:when><xsl:otherwise>closed it. <xsl:value-of select="words"/></xsl:otherwise></xsl:choose>
      (<a href="{$origin}/audit/record?no={audit_index}">record <xsl:value-of select="audit_index"/></a>)</li></xsl:for-each></ol>
  </xsl:if>
  <xsl:if test="alert/state != 'ALERT_CLOSED'">
    <h2 class="nhsuk-heading-m">What is to be done</h2>
    <xsl:call-template name="words"><xsl:with-param name="name">note</xsl:with-param><xsl:with-param name="label">A note</xsl:with-param><xsl:with-param name="hint">At least 10 characters</xsl:with-param><xsl:with-param name="button">Add the note</xsl:with-param></xsl:call-template>
    <xsl:call-template name="words"><xsl:with-param name="name">assign</xsl:with-param><xsl:with-param name="label">Give the case to</xsl:with-param><xsl:with-param name="hint">The 12 digits of a staff number, which may be your own</xsl:with-param><xsl:with-param name="button">Give it</xsl:with-param></xsl:call-template>
    <xsl:choose>
      <xsl:when test="alert/finding"><xsl:call-template name="words"><xsl:with-param name="name">close</xsl:with-param><xsl:with-param name="label">What was done about it</xsl:with-param><xsl:with-param name="hint">At least 10 characters</xsl:with-param><xsl:with-param name="button">Close the case</xsl:with-param></xsl:call-template></xsl:when>
      <xsl:otherwise><xsl:call-template name="words"><xsl:with-param name="name">outcome</xsl:with-param><xsl:with-param name="label">What you found</xsl:with-param><xsl:with-param name="hint">At least 10 characters</xsl:with-param><xsl:with-param name="button">Give the outcome</xsl:with-param></xsl:call-template></xsl:otherwise>
    </xsl:choose>
  </xsl:if>
</xsl:template>

<xsl:template name="words">
  <xsl:param name="name"/><xsl:param name="label"/><xsl:param name="hint"/><xsl:param name="button"/>
  <xsl:variable name="typed" select="/*/*[name() = $name]"/>
  <form action="{$origin}/audit/case/{$name}" method="post" novalidate="novalidate">
    <xsl:call-template name="mark"/>
    <input type="hidden" name="id" value="{/*/alert/id}"/>
    <xsl:if test="$name = 'outcome'">
      <div class="nhsuk-form-group"><fieldset class="nhsuk-fieldset"><legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s">Outcome</legend>
        <div class="nhsuk-radios">
          <xsl:call-template name="radio"><xsl:with-param name="value">APPROPRIATE</xsl:with-param><xsl:with-param name="text">Appropriate: they had to look</xsl:with-param></xsl:call-template>
          <xsl:call-template name="radio"><xsl:with-param name="value">NEAR_MISS</xsl:with-param><xsl:with-param name="text">Near miss: no harm was done, and it must not happen again</xsl:with-param></xsl:call-template>
          <xsl:call-template name="radio"><xsl:with-param name="value">BREACH</xsl:with-param><xsl:with-param name="text">Breach: they had no business to look</xsl:with-param></xsl:call-template>
        </div></fieldset></div>
      <div class="nhsuk-form-group"><label class="nhsuk-label" for="keep_open">When this is said, the case is</label>
        <select class="nhsuk-select" id="keep_open" name="keep_open"><option value="no">closed</option><option value="yes"><xsl:if test="$typed/@keep_open = 'yes'"><xsl:attribute name="selected">selected</xsl:attribute></xsl:if>kept open, because something is still to be done</option></select></div>
    </xsl:if>
    <div><xsl:attribute name="class">nhsuk-form-group<xsl:if test="$typed/@problem"> nhsuk-form-group--error</xsl:if></xsl:attribute>
      <label class="nhsuk-label nhsuk-label--s" for="{$name}"><xsl:value-of select="$label"/></label>
      <div class="nhsuk-hint" id="{$name}-hint"><xsl:value-of select="$hint"/></div>
      <xsl:apply-templates select="$typed" mode="problem"/>
      <input class="nhsuk-input" id="{$name}" name="words" type="text" maxlength="200" autocomplete="off" value="{$typed}" aria-describedby="{$name}-hint"/>
    </div>
    <button class="nhsuk-button nhsuk-button--secondary" type="submit"><xsl:value-of select="$button"/></button>
  </form>
</xsl:template>
<xsl:template name="radio">
  <xsl:param name="value"/><xsl:param name="text"/>
  <div class="nhsuk-radios__item"><input class="nhsuk-radios__input" id="finding-{$value}" name="finding" type="radio" value="{$value}"><xsl:if test="/*/outcome/@finding = $value"><xsl:attribute name="checked">checked</xsl:attribute></xsl:if></input><label class="nhsuk-label nhsuk-radios__label" for="finding-{$value}"><xsl:value-of select="$text"/></label></div>
</xsl:template>
</xsl:stylesheet>
