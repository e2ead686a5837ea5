// Which incidents are rehearsed, in which order, and what each is about.
#include "clients/drill/incidents.h"

const struct drill_incident drill_incidents[] = {
	{"stolen-key", 1, "A system's key is stolen and used by somebody who holds no role there",
	 "refused sign-ins in the audit log, seen by the privacy officer; quarantine of the certificate; a new key, and the old certificate "
	 "revoked", false, incident_stolen_key},
	{"rogue-staff", 2, "A nurse goes through NHS numbers, one after the other",
	 "a finding among the privacy officer's alerts; quarantine of the person; the role ended, the case decided", false,
	 incident_rogue_staff},
	{"worm", 1, "Malware spreads through one organisation's network and floods the service from its systems",
	 "requests above the bounds in the audit log; the organisation isolated by one command; clean systems, quarantine lifted", false,
	 incident_worm},
	{"expired-certificate", 3, "A system's certificate is allowed to expire",
	 "staff are not answered; nothing to contain; a new certificate, enrolled", false, incident_expired_certificate},
	{"lost-authority", 1, "The keys of the certificate authorities are stolen, and a nurse's certificate forged with them",
	 "reported by telephone; quarantine of the forged certificate; a new authority, everybody certified anew, the old one no longer "
	 "believed", false, incident_lost_authority},
	{"broker-lost", 2, "The broker's process is killed", "whoever supervises it; nothing to contain; started again", false,
	 incident_broker_lost},
	{"disk-full", 2, "The store's disk is full", "the broker's log and refused requests; nothing is answered without a record; space made",
	 true, incident_disk_full},
	{"bare-machine", 1, "The broker's machine and its disk are lost",
	 "staff are not answered; nothing to contain; the last backup put back on another disk, as the log's successor", false,
	 incident_bare_machine},
	{0},
};
