// Every event of the operator's log, in one table: its name here, the word that is printed and that alert rules go by, its level,
// whether it is a security event (for a SIEM, rsyslog-siem.conf), what it means and what to do. `cpis-broker --describe events`
// prints it, and broker/README.md has that as its table ("The operator's log"); tests/system/watch.sh holds them together.
//
// A word never changes its meaning: whoever has rules by it cannot be told. An event has one level.
#ifndef CPIS_BROKER_LOG_EVENTS_H
#define CPIS_BROKER_LOG_EVENTS_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };
enum log_kind { LOG_KIND_OPERATION, LOG_KIND_SECURITY };

#define LOG_EVENT_TABLE(X)                                                                                                     \
	/* The process */                                                                                                      \
	X(READY, "ready", INFO, OPERATION, "the broker serves: where, how many systems, by which policy", "nothing")            \
	X(CANNOT_START, "cannot_start", ERROR, OPERATION, "what is wrong; exit code 2", "mend what the line names, start it again") \
	X(DRAINING, "draining", INFO, OPERATION, "it was told to stop: requests in hand were told to go elsewhere", "nothing")  \
	X(DRAINED, "drained", INFO, OPERATION, "the same of those that waited in the front", "nothing")                          \
	X(STOPPED, "stopped", INFO, OPERATION, "the end, with the counters of this run", "nothing")                              \
	X(TAKING_OVER, "taking_over", INFO, OPERATION, "all is read and checked; the broker that runs is asked to hand over", "nothing") \
	X(HANDING_OVER, "handing_over", INFO, OPERATION, "another broker is ready to take over: it is handed over to", "nothing") \
	X(DRAINED_FOR_ANOTHER, "drained_for_another", INFO, OPERATION,                                                          \
	  "nobody is in hand any more, all is committed; with the counters of this run", "nothing")                             \
	X(HANDED_OVER, "handed_over", INFO, OPERATION, "another broker serves, and this one ends", "nothing")                    \
	X(TAKEN_BACK, "taken_back", WARNING, OPERATION, "whoever was to take over did not come to serve: this broker serves on",  \
	  "see why in the lines of that one")                                                                                   \
	X(NOT_TAKEN_BACK, "not_taken_back", ERROR, OPERATION,                                                                   \
	  "nor did this one get its store back: nobody serves, unless another broker has it", "start a broker")                  \
	X(HANDOVER_REFUSED, "handover_refused", WARNING, SECURITY,                                                              \
	  "who wanted to take over has no right to, asked as another version does, or is gone again", "see whose process that was") \
	X(HANDOVER_IMPOSSIBLE, "handover_impossible", WARNING, OPERATION, "nobody can take over from this broker, and why",      \
	  "mend what the line says, or restart it to change it")                                                                \
	X(RELOADED, "reloaded", INFO, SECURITY, "what SIGHUP has changed", "nothing, where you sent it")                         \
	X(RELOAD_REFUSED, "reload_refused", ERROR, SECURITY, "why SIGHUP has changed nothing", "mend it, and send it again: a revocation in it does not count") \
	X(RELOAD_IMPOSSIBLE, "reload_impossible", WARNING, OPERATION,                                                           \
	  "the user that the broker became cannot read what SIGHUP reads", "let it read the file, or restart the broker to change it") \
	X(SANDBOXED, "sandboxed", INFO, OPERATION, "what the process is limited to", "nothing")                                 \
	X(NOT_SANDBOXED, "not_sandboxed", WARNING, SECURITY, "what it is not limited to, and why",                              \
	  "a kernel with Landlock and seccomp; `sandbox: required` refuses to go without")                                      \
	X(RUNS_AS_ROOT, "runs_as_root", WARNING, SECURITY, "the broker runs with rights that it does not need", "set `user`")    \
	X(MEMORY_NOT_LOCKED, "memory_not_locked", WARNING, SECURITY, "keys may reach the swap space",                           \
	  "LimitMEMLOCK=infinity, or no swap that is not encrypted")                                                            \
	X(CLOCK_SET_BACK, "clock_set_back", WARNING, SECURITY, "the clock is more than a minute behind the newest audit record", \
	  "set it right: \"If the clock is wrong\"")                                                                            \
	/* Who may come in */                                                                                                  \
	X(REGISTER_LOADED, "register_loaded", INFO, SECURITY,                                                                   \
	  "a changed trust bundle, enrolled directory or register counts: enrolments and revocations come this way",             \
	  "nothing, where you changed it")                                                                                      \
	X(REGISTER_RELOAD_FAILED, "register_reload_failed", ERROR, SECURITY,                                                    \
	  "a changed trust bundle, enrolled directory or register does not check; the one before stays in force",                \
	  "mend it at once: a revocation in it does not count")                                                                 \
	X(ENROLLED_REFUSED, "enrolled_refused", WARNING, SECURITY,                                                              \
	  "a certificate in `enrolled_directory` that does not hold, or two for one key, and why; not those revoked or past "    \
	  "their date. `--check` says the same",                                                                                \
	  "replace or remove it")                                                                                               \
	X(ADMISSION_NOT_CHANGED, "admission_not_changed", ERROR, SECURITY,                                                      \
	  "no memory for the front's list: it goes by the one of before; each request is judged by the new one all the same",     \
	  "give the machine memory")                                                                                            \
	X(ADMISSION_HANDLER_DIED, "admission_handler_died", ERROR, SECURITY,                                                    \
	  "the front ends itself, as nobody may be admitted unseen; it is started again", "report it, with the lines before")    \
	X(NEXT_ENDPOINT, "next_endpoint", INFO, OPERATION, "where the next key is served", "nothing")                            \
	X(ENROLMENT_ENDPOINT, "enrolment_endpoint", INFO, OPERATION, "where new systems enrol", "nothing")                       \
	X(ENROLMENT_REOPENED, "enrolment_reopened", WARNING, SECURITY, "strangers took up too much there and were all cut off",  \
	  "limit connections to it in the firewall")                                                                            \
	X(ENROLMENT_CLOSED, "enrolment_closed", WARNING, SECURITY, "it cannot be opened for now; it is tried again",             \
	  "see what else has the port")                                                                                         \
	X(HANDSHAKE_REFUSED, "handshake_refused", WARNING, SECURITY,                                                            \
	  "somebody who is not admitted: first bytes of the key, address. One from 127.0.0.1 at each start is the self-test",    \
	  "ring them, if the key is one of yours; else the firewall")                                                           \
	X(HANDSHAKE_MALFORMED, "handshake_malformed", ERROR, SECURITY, "the front asked itself what it never asks",              \
	  "report it")                                                                                                          \
	X(HANDSHAKES_FAILED, "handshakes_failed", WARNING, SECURITY,                                                            \
	  "failed handshakes of all kinds, once they are in the audit log: reason, how many (\"Who did not get in\")",            \
	  "many of one reason: see who that is")                                                                                \
	X(TURNED_AWAY, "turned_away", WARNING, OPERATION, "there was more than could be answered in time: how many requests were told to come later", \
	  "more brokers or cores, or ask the system named why it asks so much")                                                 \
	X(ATTEMPTS_NOT_RECORDED, "attempts_not_recorded", ERROR, OPERATION,                                                     \
	  "either of the two could not be written to the audit log; it is counted on, and tried again every 5 seconds",          \
	  "see `store_failed`")                                                                                                 \
	X(CONNECTIONS_CUT_OFF, "connections_cut_off", WARNING, SECURITY,                                                        \
	  "more connections than may be: first those without a handshake were ended, then those silent for longest",             \
	  "limit connections by address in the firewall, or raise `connections_max`")                                           \
	X(QUARANTINE_SET, "quarantine_set", WARNING, SECURITY, "a system, certificate, person or organisation is held back: by a person, or by a rule; `cpis quarantine list` says who. " \
	  "Logged before the commit",                                                                                           \
	  "follow it up")                                                                                                       \
	X(QUARANTINE_LIFTED, "quarantine_lifted", INFO, SECURITY, "one is held back no more. Logged before the commit", "nothing") \
	X(GLASS_BROKEN, "glass_broken", WARNING, SECURITY, "somebody broke the glass: which organisation. Who, and why, is in the audit log and on the privacy officer's list. " \
	  "Logged before the commit",                                                                                           \
	  "the privacy officer reviews it; unusually many: ring that organisation")                                             \
	X(POLICY_IN_FORCE, "policy_in_force", INFO, SECURITY, "another policy decides from now on", "nothing, where it was meant") \
	X(FINDING_NOT_HELD, "finding_not_held", ERROR, SECURITY,                                                                \
	  "a rule should hold somebody back and the quarantine list is full; the alert is there", "lift what has served its purpose") \
	/* The audit log */                                                                                                    \
	X(LOG_FORKED, "log_forked", ERROR, SECURITY,                                                                            \
	  "a system was shown another log that this log's key signed. Logged before the commit, and each time it is handed in",  \
	  "stop: \"What systems are shown of the log\"")                                                                        \
	X(RECORDS_MISSING, "records_missing", ERROR, SECURITY,                                                                  \
	  "a system holds a longer log than the backup that was put back: how many records are lost at least, and since when",   \
	  "\"Backup and restore\"")                                                                                             \
	X(LOG_UNWITNESSED, "log_unwitnessed", ERROR, SECURITY,                                                                  \
	  "with `witness_required_s`: nothing is answered for want of cosignatures", "see that the witnesses run and reach the broker") \
	X(LOG_WITNESSED, "log_witnessed", INFO, SECURITY, "it is again", "nothing")                                             \
	X(AUDIT_LOG_UNUSABLE, "audit_log_unusable", ERROR, SECURITY, "nothing is answered: the stored log is not the one that was signed", \
	  "keep the store as it is, verify it (`cpis audit verify`), put a backup in its place")                                \
	X(KEY_DESTRUCTION_WAITS, "key_destruction_waits", WARNING, OPERATION,                                                   \
	  "a month's audit key is due to be destroyed and is still needed", "see \"Keep and let go\"")                          \
	/* The store */                                                                                                        \
	X(COMMIT_FAILED, "commit_failed", ERROR, OPERATION, "nothing is answered until this is mended. The same line comes at most once a minute", \
	  "see `store_failed`")                                                                                                 \
	X(STORE_FAILED, "store_failed", ERROR, OPERATION, "why, and whether the broker goes on by itself once it is mended. The same line comes at most once a minute", \
	  "what the line says")                                                                                                 \
	X(STORE_UPGRADED, "store_upgraded", INFO, OPERATION,                                                                    \
	  "a store of the schema version before is one of this version now; an older program does not open it any more",        \
	  "nothing; the way back is a backup")                                                                                  \
	X(STORE_UNFLUSHED, "store_unflushed", ERROR, OPERATION,                                                                 \
	  "the database could not be flushed and the process ends itself: a start brings all of the write-ahead log into the database again", \
	  "start it anew; that again and again: the disk fails")                                                                \
	X(MENDED, "mended", INFO, OPERATION, "requests are recorded and answered again, and after how long", "nothing")         \
	X(RIGHTS_UNREADABLE, "rights_unreadable", ERROR, SECURITY,                                                              \
	  "quarantine list, role profiles or invitations cannot be read: nobody is answered", "see `store_failed`; else put a backup in the store's place") \
	X(POLICY_UNREADABLE, "policy_unreadable", ERROR, SECURITY, "the policy in force cannot be read: nobody is answered",      \
	  "the same")                                                                                                           \
	X(PLAN_UNREADABLE, "plan_unreadable", ERROR, SECURITY,                                                                  \
	  "a stored row does not open, and so for the next seven: what needs it is refused. The same line comes at most once a minute", \
	  "the store is damaged: put a backup in its place")                                                                    \
	X(AUTHORITY_UNREADABLE, "authority_unreadable", ERROR, SECURITY, "an authority's contacts or versions", "the same")      \
	X(ACCESS_UNREADABLE, "access_unreadable", ERROR, SECURITY, "a line of a child's access history", "the same")             \
	X(INBOX_UNREADABLE, "inbox_unreadable", ERROR, SECURITY, "an inbox item", "the same")                                   \
	X(ALERT_UNREADABLE, "alert_unreadable", ERROR, SECURITY, "an alert of detection", "the same")                           \
	X(AUDIT_UNREADABLE, "audit_unreadable", ERROR, SECURITY, "an audit record", "the same")                                 \
	X(AUDIT_KEY_UNREADABLE, "audit_key_unreadable", ERROR, SECURITY, "a month's audit key: it is another store key's, or damaged", \
	  "the same, or the right `store_key`")                                                                                 \
	X(HOLD_UNREADABLE, "hold_unreadable", ERROR, SECURITY, "a legal hold; nothing is let go meanwhile", "the same")          \
	X(INBOX_ESCALATED, "inbox_escalated", WARNING, OPERATION,                                                               \
	  "an item that nobody acknowledged in time: organisation and number. Logged before the commit: after a `commit_failed` it comes again", \
	  "ring that authority")                                                                                                \
	X(INBOX_EXPIRED, "inbox_expired", WARNING, OPERATION, "an item that nobody ever acknowledged; likewise", "ring that authority") \
	X(RESPONDERS_FULL, "responders_full", WARNING, OPERATION, "no room for another question to a register that does not answer", \
	  "ring whoever runs it")                                                                                               \
	X(DETECTION_READ_BACK, "detection_read_back", INFO, OPERATION, "how many of the log's records detection remembers after a start", "nothing") \
	/* The front */                                                                                                        \
	X(FRONT_STARTED, "front_started", INFO, OPERATION, "the network front serves again, and after how long", "nothing")      \
	X(FRONT_DIED, "front_died", ERROR, SECURITY, "it ended: all connections are cut off, it is started again",                \
	  "again and again: see `handshakes_failed` and the firewall for who does it")                                          \
	X(FRONT_GIVEN_UP, "front_given_up", ERROR, SECURITY, "it is silent, or says what no front says: it is ended and started again", \
	  "as for `front_died`")                                                                                                \
	X(FRONT_TOO_LARGE, "front_too_large", ERROR, SECURITY, "it has allocated `front_memory_mb`: it ends; names the address that sent most", \
	  "keep that address out, or give it more memory")                                                                      \
	X(FRONT_NOT_STARTED, "front_not_started", ERROR, OPERATION, "it cannot be started, and why; it is tried again", "what the line says") \
	X(FRONT_LOST, "front_lost", ERROR, OPERATION, "its keeper was killed: the broker ends with exit code 3", "start the broker again") \
	/* What watches */                                                                                                     \
	X(METRICS_ENDPOINT, "metrics_endpoint", INFO, OPERATION, "where metrics and health are served", "nothing")                \
	X(METRICS_DIED, "metrics_died", WARNING, OPERATION, "the process that serves them ended: it is started again", "again and again: report it")

enum log_event {
#define X(name, word, level, kind, meaning, remedy) LOG_EVENT_##name,
	LOG_EVENT_TABLE(X)
#undef X
	LOG_EVENTS
};

struct log_event_row {
	const char *word;
	enum log_level level;
	enum log_kind kind;
	const char *meaning, *remedy; // one line each, Markdown
};
// `event` is below LOG_EVENTS.
const struct log_event_row *log_event_row(enum log_event event);
const char *log_level_word(enum log_level level);

#endif
