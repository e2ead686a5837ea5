<?xml version="1.0" encoding="UTF-8"?>
<!-- One record of the audit log, and whether it is proven. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="audit.xsl"/>
<xsl:template match="/record" mode="title">Record <xsl:value-of select="no"/></xsl:template>
<xsl:template match="/record" mode="content">
  <xsl:call-template name="audit-navigation"/>
  <h1 class="nhsuk-heading-l">Record <xsl:value-of select="no"/> of the audit log</h1>
  <xsl:choose>
    <xsl:when test="proof/@holds = 'yes'"><div class="nhsuk-inset-text"><p>This record is in the log as it was written, and has not been changed since: the log's signature over all of its <xsl:value-of select="proof/@size"/> records covers it.
      <xsl:choose><xsl:when test="proof/@witnessed = 'yes'">Witnesses outside of the service have signed the log too.</xsl:when><xsl:otherwise>No witness outside of the service has signed it that this gateway knows of.</xsl:otherwise></xsl:choose></p></div></xsl:when>
    <xsl:otherwise><div class="nhsuk-warning-callout"><h2 class="nhsuk-warning-callout__label">Do not rely on this record</h2><p>Its proof does not hold. It may have been changed, or is not in the log. Tell the operators of the service and your Caldicott Guardian, and keep this page.</p></div></xsl:otherwise>
  </xsl:choose>
  <dl class="nhsuk-summary-list">
    <xsl:apply-templates select="entry/time_ms" mode="line"><xsl:with-param name="key">When</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="entry/time_ms" mode="instant"/></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/operation" mode="line"><xsl:with-param name="key">What</xsl:with-param><xsl:with-param name="value"><xsl:apply-templates select="entry" mode="did"/></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/name" mode="line"><xsl:with-param name="key">By whom</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="entry/detail/name"/> (<xsl:value-of select="entry/detail/uid"/>), <xsl:value-of select="entry/detail/role_name"/></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/proof" mode="line"><xsl:with-param name="key">Proven by</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="entry/detail/proof/@words"/></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/organisation" mode="line"><xsl:with-param name="key">From</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="entry/detail/organisation_name"/> (<xsl:value-of select="entry/organisation"/>), system <xsl:value-of select="entry/system_name"/></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/nhs_number" mode="line"><xsl:with-param name="key">About</xsl:with-param><xsl:with-param name="value">NHS number <xsl:value-of select="entry/detail/nhs_number/@spaced"/></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/care_setting" mode="line"><xsl:with-param name="key">Care setting</xsl:with-param><xsl:with-param name="value" select="string(entry/detail/care_setting/@words)"/></xsl:apply-templates>
    <xsl:apply-templates select="entry/outcome" mode="line"><xsl:with-param name="key">What came of it</xsl:with-param><xsl:with-param name="value"><xsl:value-of select="entry/outcome/@words"/><xsl:if test="entry/reason_code"> (<xsl:value-of select="entry/reason_code"/>)</xsl:if></xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/reason" mode="line"><xsl:with-param name="key">In words</xsl:with-param><xsl:with-param name="value" select="string(entry/detail/reason)"/></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/stated_reason" mode="line"><xsl:with-param name="key">Reason given</xsl:with-param><xsl:with-param name="value" select="string(entry/detail/stated_reason)"/></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/notified" mode="line"><xsl:with-param name="key">Social care was told</xsl:with-param><xsl:with-param name="value" select="string(entry/detail/notified)"/></xsl:apply-templates>
    <xsl:apply-templates select="entry/detail/rule" mode="line"><xsl:with-param name="key">By the rule</xsl:with-param><xsl:with-param name="value" select="string(entry/detail/rule)"/></xsl:apply-templates>
    <xsl:apply-templates select="entry/policy_version" mode="line"><xsl:with-param name="key">Policy</xsl:with-param><xsl:with-param name="value" select="string(entry/policy_version)"/></xsl:apply-templates>
  </dl>
  <xsl:for-each select="entry/detail/findings"><p>It set off the rule <xsl:value-of select="rule"/>: <xsl:value-of select="words"/></p></xsl:for-each>
  <xsl:if test="entry/erased"><p>Who did it, and about whom, nobody can read any more: its time was over.</p></xsl:if>
</xsl:template>
<xsl:template match="*" mode="line"><xsl:param name="key"/><xsl:param name="value"/><xsl:call-template name="row"><xsl:with-param name="key" select="$key"/><xsl:with-param name="value" select="$value"/></xsl:call-template></xsl:template>
</xsl:stylesheet>
