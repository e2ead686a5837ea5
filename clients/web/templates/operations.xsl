<?xml version="1.0" encoding="UTF-8"?>
<!-- How the service runs. The part that changes is operations-live.xsl's. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="operations-live.xsl"/>
<xsl:import href="layout.xsl"/>
<xsl:template match="/operations" mode="title">Operations</xsl:template>
<xsl:template match="/operations" mode="content">
  <h1 class="nhsuk-heading-l">How the service runs</h1>
  <p id="live-state" role="status" aria-live="polite" class="nhsuk-body-s"></p>
  <button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="button" id="live-pause" hidden="hidden">Stop refreshing</button>
  <div id="live" data-live="{$origin}/operations/events"><xsl:apply-templates select="state" mode="live"/></div>
</xsl:template>
</xsl:stylesheet>
