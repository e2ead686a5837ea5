<?xml version="1.0" encoding="UTF-8"?>
<!-- A new passkey: the request that the registration authority certifies. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:import href="layout.xsl"/>
<xsl:template match="/passkey" mode="title">Make a passkey</xsl:template>
<xsl:template match="/passkey" mode="content">
  <h1 class="nhsuk-heading-l">Make a passkey</h1>
  <p>A passkey stays on this device or your security key. Your registration authority has to certify it before it opens anything.</p>
  <ol class="nhsuk-list nhsuk-list--number">
    <li>Make the passkey here. A file with your request is saved.</li>
    <li>Send the file to your registration authority, and go there with your identity documents.</li>
    <li>Read out the fingerprint that is shown here. They compare it with the file's.</li>
  </ol>
  <noscript><div class="nhsuk-inset-text"><p>Browsers can make passkeys only with JavaScript. Without it, sign in with your smartcard or certificate.</p></div></noscript>
  <form action="{$origin}/passkey/request" method="post" id="new-passkey" data-host="{@host}" class="cpis-script-only" hidden="hidden">
    <xsl:call-template name="mark"/>
    <input type="hidden" name="credential" value=""/>
    <input type="hidden" name="key" value=""/>
    <div class="nhsuk-form-group">
      <label class="nhsuk-label" for="uid">Your staff number</label>
      <div class="nhsuk-hint" id="uid-hint">12 digits, as on your smartcard</div>
      <input class="nhsuk-input nhsuk-input--width-20" id="uid" name="uid" type="text" inputmode="numeric" autocomplete="off" aria-describedby="uid-hint" required="required"/>
    </div>
    <div class="nhsuk-form-group">
      <label class="nhsuk-label" for="name">Your name</label>
      <div class="nhsuk-hint" id="name-hint">As your registration authority knows it</div>
      <input class="nhsuk-input" id="name" name="name" type="text" autocomplete="name" aria-describedby="name-hint" required="required"/>
    </div>
    <p class="nhsuk-error-message" id="passkey-problem" role="alert"></p>
    <button class="nhsuk-button" type="submit">Make the passkey and save the request</button>
    <p id="fingerprint" role="status" class="cpis-fingerprint"></p>
  </form>
</xsl:template>
</xsl:stylesheet>
