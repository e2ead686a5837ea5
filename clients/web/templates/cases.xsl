<?xml version="1.0" encoding="UTF-8"?>
<!-- The list of cases. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="audit.xsl"/>
<xsl:template match="/cases" mode="title">Cases</xsl:template>
<xsl:template match="/cases" mode="content">
  <xsl:call-template name="audit-navigation"><xsl:with-param name="here">cases</xsl:with-param></xsl:call-template>
  <h1 class="nhsuk-heading-l">Cases of <xsl:value-of select="person/organisation_name"/></h1>
  <p><xsl:choose><xsl:when test="not(list/open)">No case is open.</xsl:when><xsl:when test="list/open = 1">1 case is open.</xsl:when><xsl:otherwise><xsl:value-of select="list/open"/> cases are open.</xsl:otherwise></xsl:choose>
    <xsl:text> </xsl:text><xsl:choose><xsl:when test="@show = 'all'"><a href="{$origin}/audit">Show those that are open</a></xsl:when><xsl:otherwise><a href="{$origin}/audit?show=all">Show closed ones too</a></xsl:otherwise></xsl:choose></p>
  <xsl:if test="list/alerts">
    <div class="cpis-scroll" tabindex="0" role="region" aria-label="Cases"><table class="nhsuk-table">
      <caption class="nhsuk-table__caption nhsuk-u-visually-hidden">Cases, oldest first</caption>
      <thead class="nhsuk-table__head"><tr><th scope="col" class="nhsuk-table__header">Case</th><th scope="col" class="nhsuk-table__header">Since</th><th scope="col" class="nhsuk-table__header">Why</th><th scope="col" class="nhsuk-table__header">State</th></tr></thead>
      <tbody class="nhsuk-table__body"><xsl:for-each select="list/alerts"><tr class="nhsuk-table__row">
        <td class="nhsuk-table__cell"><a href="{$origin}/audit/case?id={id}">Case <xsl:value-of select="id"/></a></td>
        <td class="nhsuk-table__cell"><xsl:apply-templates select="created_ms" mode="instant"/><br/>(<xsl:apply-templates select="created_ms" mode="ago"/>)</td>
        <td class="nhsuk-table__cell"><xsl:apply-templates select="kind" mode="kind"/><xsl:if test="found">: <xsl:value-of select="found/words"/> (<xsl:apply-templates select="found/severity" mode="severity"/>)</xsl:if></td>
        <td class="nhsuk-table__cell"><xsl:apply-templates select="state" mode="state"/><xsl:if test="assigned_to"><br/>given to <xsl:value-of select="assigned_to"/></xsl:if><xsl:if test="finding"><br/><xsl:apply-templates select="finding" mode="outcome"/></xsl:if></td>
      </tr></xsl:for-each></tbody>
    </table></div>
  </xsl:if>
  <xsl:if test="next"><p><a href="{$origin}/audit?show={@show}&amp;after={next}">More</a></p></xsl:if>
</xsl:template>
</xsl:stylesheet>
