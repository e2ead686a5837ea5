<?xml version="1.0" encoding="UTF-8"?>
<!-- What every page has around its content. A page gives templates for its root element in the modes "title" and "content". -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="parts.xsl"/>
<xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>

<!-- Links name the host, because a page may stand on one that only takes proofs. -->
<xsl:variable name="origin" select="/*/@origin"/>

<xsl:template match="/">
<html class="nhsuk-template" lang="en-GB">
<head>
  <title><xsl:apply-templates select="/*" mode="title"/> - Child protection information</title>
  <meta name="viewport" content="width=device-width, initial-scale=1"/>
  <meta name="theme-color" content="#005eb8"/>
  <link rel="stylesheet" href="{/*/@style}"/>
  <link rel="icon" type="image/svg+xml" href="{/*/@icon}"/>
  <xsl:if test="/*/person"><noscript><meta http-equiv="refresh" content="{/*/lock_after_s};url={$origin}/locked"/></noscript></xsl:if>
  <script src="{/*/@script}" defer="defer"></script>
</head>
<body class="nhsuk-template__body">
  <xsl:if test="/*/person"><xsl:attribute name="data-lock-after"><xsl:value-of select="/*/lock_after_s"/></xsl:attribute>
    <xsl:attribute name="data-mark"><xsl:value-of select="/*/@mark"/></xsl:attribute></xsl:if>
  <a class="nhsuk-skip-link" href="#maincontent">Skip to main content</a>
  <header class="nhsuk-header" role="banner">
    <div class="nhsuk-header__container nhsuk-width-container">
      <div class="nhsuk-header__service">
        <a class="nhsuk-header__service-name" href="{$origin}/">Child protection information</a>
      </div>
      <xsl:if test="/*/person">
      <nav class="nhsuk-header__account" aria-label="Account">
        <ul class="nhsuk-header__account-list">
          <li class="nhsuk-header__account-item"><xsl:value-of select="/*/person/name"/>, <xsl:value-of select="/*/person/role_name"/></li>
          <li class="nhsuk-header__account-item">
            <form class="nhsuk-header__account-form" action="{$origin}/sign-out" method="post">
              <xsl:call-template name="mark"/>
              <button class="nhsuk-header__account-button" type="submit">Sign out</button>
            </form>
          </li>
        </ul>
      </nav>
      </xsl:if>
    </div>
    <xsl:if test="/*/person">
    <nav class="nhsuk-header__navigation" aria-label="Menu">
      <div class="nhsuk-header__navigation-container nhsuk-width-container">
        <ul class="nhsuk-header__navigation-list">
          <xsl:if test="/*/person/activity = 'B0107' or /*/person/activity = 'B0170'">
            <xsl:call-template name="navigation"><xsl:with-param name="path">/lookup</xsl:with-param><xsl:with-param name="text">Look up</xsl:with-param></xsl:call-template>
          </xsl:if>
          <xsl:if test="/*/person/activity = 'L0102'">
            <xsl:call-template name="navigation"><xsl:with-param name="path">/inbox</xsl:with-param><xsl:with-param name="text">Inbox</xsl:with-param></xsl:call-template>
          </xsl:if>
          <xsl:if test="/*/person/activity = 'L0201' or /*/person/activity = 'L0202'">
            <xsl:call-template name="navigation"><xsl:with-param name="path">/audit</xsl:with-param><xsl:with-param name="text">Audit review</xsl:with-param></xsl:call-template>
          </xsl:if>
          <xsl:if test="/*/person/activity = 'L0501'">
            <xsl:call-template name="navigation"><xsl:with-param name="path">/operations</xsl:with-param><xsl:with-param name="text">Operations</xsl:with-param></xsl:call-template>
          </xsl:if>
          <xsl:call-template name="navigation"><xsl:with-param name="path">/about</xsl:with-param><xsl:with-param name="text">About</xsl:with-param></xsl:call-template>
        </ul>
      </div>
    </nav>
    </xsl:if>
  </header>
  <div class="nhsuk-width-container">
    <main class="nhsuk-main-wrapper" id="maincontent" role="main" tabindex="-1">
      <xsl:apply-templates select="/*" mode="content"/>
      <xsl:apply-templates select="/*/receipt"/>
    </main>
  </div>
  <xsl:if test="/*/person">
  <div class="cpis-lock" id="lock-warning" role="alertdialog" aria-labelledby="lock-heading" hidden="hidden">
    <h2 class="nhsuk-heading-m" id="lock-heading">You will be locked out in one minute</h2>
    <p>Nothing has been done here for a while.</p>
    <button class="nhsuk-button" type="button" id="lock-stay">Stay signed in</button>
  </div>
  </xsl:if>
  <footer class="nhsuk-footer" role="contentinfo">
    <div class="nhsuk-width-container">
      <p class="nhsuk-body-s">Every look is recorded with your name. <xsl:value-of select="/*/@organisation"/>.</p>
    </div>
  </footer>
</body>
</html>
</xsl:template>

<xsl:template name="navigation">
  <xsl:param name="path"/>
  <xsl:param name="text"/>
  <li class="nhsuk-header__navigation-item">
    <a class="nhsuk-header__navigation-link" href="{$origin}{$path}"><xsl:value-of select="$text"/></a>
  </li>
</xsl:template>

<xsl:template match="receipt">
  <p class="nhsuk-body-s cpis-receipt">Recorded as number <xsl:value-of select="@index"/> in the audit log; the proof of it has been checked.</p>
</xsl:template>

</xsl:stylesheet>
