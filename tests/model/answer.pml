/*
 * Session, revocation and answer, as broker/main.c and broker/core.c do them, for SPIN. What is checked:
 *
 *   (a) nothing is answered that arrived after the revocation was acknowledged;
 *   (b) nothing is answered whose audit record is not durable, and the log never forks;
 *   (c) each look that was answered has one notification, however often it was retried;
 *   (d) after a restart nobody is answered whose revocation was on disk when the broker started;
 *   (e) without failures each request is answered or refused, and each revocation comes into force (the ltl below).
 *
 * Not in it: time limits (sessions, tokens, deadlines, the 10 minutes for which a reply is kept), silent looks,
 * lifting a quarantine, several brokers, and the contents of anything. The queue is short, a batch holds two,
 * crashes and faults are counted: LIMITS below. What SPIN finds holds within these.
 *
 * -DNO_FAILURES leaves out crashes, stops and a store that fails; (e) is checked there. The broken variants are
 * marked BROKEN where they differ; tests/system/model.sh defines one at a time and SPIN must find each.
 */

/* LIMITS */
#define LOOKS 2   /* requests about a child; each may be sent again */
#ifndef SENDS
#define SENDS 4   /* by the client: session openings, looks and retries together */
#endif
#define ACTS 2    /* times the registrar sends the one quarantine */
#define SERIALS (SENDS + ACTS)
#define BATCH 2   /* config.c: batch_max */
#ifdef NO_FAILURES
#define CRASHES 0
#define FAULTS 0
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

/* What is asked: a look is its request id, 0 to LOOKS - 1. */
#define OPEN LOOKS
#define SET_QUARANTINE (LOOKS + 1)

/* Who asks is one system and one person; what is revoked is always theirs. The first three ways to
 * lose one's standing are files, the last is a row in the store. */
#define SYSTEM 1     /* revocation list or enrolment: request.c request_standing */
#define PERSON 2     /* revocation list: session.c session_open, session_resume */
#define PROFILE 4    /* register.yaml: session.c check_statement, session_resume */
#define QUARANTINE 8 /* request.c request_standing, resume_session */

#define BIT(n) (1 << (n))

/* BROKEN: what was judged when the connection or the session began is not judged again. */
#ifdef JUDGE_SYSTEM_AT_HANDSHAKE
#define EACH_TIME (PERSON | PROFILE | QUARANTINE)
#elif defined(JUDGE_PERSON_AT_OPENING)
#define EACH_TIME (SYSTEM | PROFILE | QUARANTINE)
#elif defined(JUDGE_PROFILE_AT_OPENING)
#define EACH_TIME (SYSTEM | PERSON | QUARANTINE)
#elif defined(JUDGE_QUARANTINE_AT_OPENING)
#define EACH_TIME (SYSTEM | PERSON | PROFILE)
#else
#define EACH_TIME (SYSTEM | PERSON | PROFILE | QUARANTINE)
#endif

/* ------------------------------------------------------------------ on disk: survives */

/* The register's files (register_load). */
byte file_revoked;
bool file_broken;
byte file_version; /* register_fingerprint */

/* The store (store_sqlite.c). */
byte disk_records;        /* a bit for each serial; forgotten when its reply has gone or never will */
byte disk_kept;           /* retry.c: a bit for each look */
byte disk_notes[LOOKS];   /* inbox rows for each look */
byte disk_quarantine;

/* ------------------------------------------------------------------ the broker's memory: lost in a crash */

byte zap_revoked;         /* zap.c: its snapshot */
byte revoked;             /* core.c: the snapshot in force, and quarantine.c's list */
byte fingerprint;
bool log_unread;          /* audit.c: the disk has records that the right edge in memory does not count */
bool begun, doomed, suspect;
byte slots;
byte slot_what[BATCH], slot_serial[BATCH];
bool slot_good[BATCH];

/* The store's open transaction. */
byte open_records, open_kept, open_quarantine;
byte open_notes[LOOKS];

/* ------------------------------------------------------------------ between them */

chan arrived = [2] of { byte, byte }; /* transport.c: what, serial */
bool running, connected;              /* of the client's one connection */
byte told; /* a bit for each of the client's requests that was answered with what it asked for */

/* ------------------------------------------------------------------ what the observer knows */

bool acknowledged;      /* the registration authority has been told */
byte late;              /* serials that arrived after that */
byte revoked_at_start;  /* what the disk said when this broker started */
byte crashes, faults;
bool written;           /* the last change of the files is there */
#ifdef NO_FAILURES
byte asked, replied;    /* serials */
byte watched;           /* the one that (e) follows: any */
#endif

inline note_asked(number)
{
	if
	:: acknowledged -> late = late | BIT(number)
	:: else
	fi;
#ifdef NO_FAILURES
	asked = asked | BIT(number)
#endif
}

inline note_reply(number)
{
	late = late & ~BIT(number);
	disk_records = disk_records & ~BIT(number);
#ifdef NO_FAILURES
	replied = replied | BIT(number)
#endif
}

/* ------------------------------------------------------------------ the client system and the person at it */

/* libcpis: connects (the handshake asks zap.c), opens a session, looks, and sends again when it was not answered in
 * time, was refused, or was told that nobody knows what became of it. It may lose patience at any moment, so that two
 * of one id can be under way. The token is sealed (session.c session_seal): it outlives the broker. */
proctype client()
{
	byte serial, what = OPEN;

	do
	:: atomic {
		serial < SENDS && running && !connected && (zap_revoked & SYSTEM) ->
		goto gone
	}
	:: atomic {
		serial < SENDS && running && nfull(arrived) && (connected || !(zap_revoked & SYSTEM)) ->
		connected = true;
		arrived!what, serial;
		note_asked(serial);
		serial++
	}
	:: atomic {
		serial < SENDS && (told & BIT(what)) ->
		if
		:: what == OPEN -> what = 0
		:: what < LOOKS - 1 -> what++
		:: else -> goto gone
		fi
	}
	:: serial == SENDS -> goto gone
	od;
gone:
	skip
}

/* ------------------------------------------------------------------ the registration authority */

/* One revocation of any kind, at any time, or none. A file may be unreadable for a while. */
proctype registration_authority()
{
	byte serial;

	if
	:: atomic { file_revoked = SYSTEM; file_version++; goto file }
	:: atomic { file_revoked = PERSON; file_version++; goto file }
	:: atomic { file_revoked = PROFILE; file_version++; goto file }
	:: serial = SENDS
	:: goto done
	fi;
	/* op_quarantine_set.c: asked for by a registrar on a connection of another system. */
	do
	:: acknowledged || serial == SERIALS -> goto done
	:: atomic {
		serial < SERIALS && running && nfull(arrived) ->
		arrived!SET_QUARANTINE, serial;
		note_asked(serial);
		serial++
	}
	od;
file:
	atomic {
		if
		:: file_broken = true
		:: written = true
		fi
	}
	if
	:: atomic { file_broken -> file_broken = false; file_version++; written = true }
	:: !file_broken
	fi;
done:
	skip
}

/* ------------------------------------------------------------------ core.c */

/* The process may end here. Between other steps it makes no difference: nothing durable or sent lies between. */
inline may_crash()
{
	if
	:: crashes < CRASHES -> goto crashed
	:: true
	fi
}

/* A call to the store, with its outcome. */
inline store_call()
{
	if
	:: faults < FAULTS -> faults++; doomed = true
	:: true
	fi
}

/* begin: what a failed commit left on disk is read before anything is added to it. */
inline begin_batch()
{
	if
	:: !begun && !doomed ->
		if
		:: suspect ->
			store_call();
			if
			:: !doomed ->
				log_unread = false;                                  /* audit_reload */
				revoked = (revoked & ~QUARANTINE) | disk_quarantine; /* quarantine_load */
				suspect = false
			:: else
			fi
		:: else
		fi;
		if
		:: !doomed ->
			store_call();
			begun = !doomed
		:: else
		fi
	:: else
	fi
}

/* request_standing, session_resume, session_open, decide. */
inline judge()
{
	if
	:: what == SET_QUARANTINE -> good = true
	:: what == OPEN -> good = !(revoked & (EACH_TIME | PERSON | PROFILE | QUARANTINE))
	:: else -> good = !(revoked & EACH_TIME)
	fi;
#ifdef RETRY_WITHOUT_JUDGING
	/* BROKEN: whoever was answered once is answered again. */
	if
	:: what < LOOKS && ((disk_kept | open_kept) & BIT(what)) -> good = true
	:: else
	fi
#endif
}

/* request.c carry_out: op_details with its notification, or the reply kept from the first time; op_quarantine_set,
 * which holds in memory before it is on disk. */
inline carry_out()
{
	if
	:: what < LOOKS && !((disk_kept | open_kept) & BIT(what)) ->
		store_call();
		open_notes[what]++;
#ifndef KEEP_NOTHING /* BROKEN: retry_keep is left out */
		open_kept = open_kept | BIT(what)
#endif
	:: what == SET_QUARANTINE ->
		store_call();
		open_quarantine = QUARANTINE;
		revoked = revoked | QUARANTINE
	:: what == OPEN /* the token is sealed: nothing is kept */
	:: else -> skip /* the reply from the first time */
	fi
}

/* take: judged by what is known at this moment, carried out, recorded. A refusal is recorded too. */
inline take()
{
	begin_batch();
	if
	:: !doomed ->
		judge();
		if
		:: good -> carry_out()
		:: else
		fi;
		open_records = open_records | BIT(serial) /* audit_append */
	:: else
	fi;
	slot_what[slots] = what;
	slot_serial[slots] = serial;
	slot_good[slots] = good;
	good = false;
	slots++
}

/* What SQLite does with the transaction. The records that are added must follow the ones that are there: whoever
 * goes on from another right edge signs two logs. */
inline make_durable()
{
	assert(!log_unread);
	disk_records = disk_records | open_records;
	disk_kept = disk_kept | open_kept;
	disk_quarantine = disk_quarantine | open_quarantine;
#ifndef SECOND_TRANSACTION
	notify()
#endif
}

inline notify()
{
	disk_notes[0] = disk_notes[0] + open_notes[0];
	disk_notes[1] = disk_notes[1] + open_notes[1];
	assert(disk_notes[0] <= 1 && disk_notes[1] <= 1)
}

inline forget_batch()
{
	open_records = 0;
	open_kept = 0;
	open_quarantine = 0;
	open_notes[0] = 0;
	open_notes[1] = 0;
	begun = false;
	doomed = false
}

/* commit: done, failed, or done and called failed. */
inline commit()
{
	if
	:: doomed -> done = false
	:: !doomed -> make_durable(); done = true
	:: !doomed && faults < FAULTS -> faults++; done = false
	:: !doomed && faults < FAULTS -> faults++; make_durable(); log_unread = true; done = false
	fi
}

/* core_flush, give_up. */
inline flush()
{
	atomic {
		may_crash();
		commit();
#ifdef FAILED_IS_DONE
		/* BROKEN: its status is not looked at. */
		if
		:: !doomed -> done = true; log_unread = false
		:: else
		fi
#endif
#ifdef SECOND_TRANSACTION
		/* BROKEN: the record is durable before its notification is. */
		may_crash();
		if
		:: done -> notify()
		:: done && faults < FAULTS -> faults++; done = false
		:: else
		fi;
#endif
		if
		:: done -> done = false
		:: else ->
#ifndef NO_RELOAD /* BROKEN: memory is taken for the disk */
			suspect = true;
#endif
			slot_good[0] = false; /* make_unavailable */
			slot_good[1] = false
		fi;
		forget_batch()
	}
}

/* ------------------------------------------------------------------ main.c */

/* What each answer promises. A quarantine's answer is its acknowledgement. */
inline send_reply()
{
	what = slot_what[sent];
	serial = slot_serial[sent];
	if
	:: slot_good[sent] && what == SET_QUARANTINE ->
		assert(disk_quarantine && (disk_records & BIT(serial)));
		acknowledged = true
	:: slot_good[sent] && what != SET_QUARANTINE ->
		assert(!revoked_at_start);                     /* (d) */
		assert(!(late & BIT(serial)));                 /* (a) */
		assert(disk_records & BIT(serial));            /* (b) */
		assert(what == OPEN || disk_notes[what] == 1); /* (c) */
		told = told | BIT(what)
	:: else
	fi;
	note_reply(serial);
	slot_what[sent] = 0;
	slot_serial[sent] = 0;
	slot_good[sent] = false;
	sent++;
	what = 0;
	serial = 0
}

inline send_replies()
{
	do
	:: atomic { sent < slots -> may_crash(); send_reply() }
	:: else -> break
	od
}

inline answer_batch()
{
#ifdef REPLY_BEFORE_COMMIT
	/* BROKEN */
	send_replies();
	flush();
#else
	flush();
	send_replies();
#endif
	atomic { slots = 0; sent = 0 } /* core_clear */
}

/* In force: ZAP first, then the core, then it is said ("register_loaded"). */
inline put_in_force()
{
	zap_revoked = fresh;
	revoked = (revoked & QUARANTINE) | fresh
}

/* The fingerprint is taken before the files are read, so that what changes in between is seen the next time. */
inline refresh_register()
{
	if
#ifndef NO_FAILURES
	:: true /* less than REGISTER_CHECK_MS since the last time */
#endif
	:: file_version == fingerprint
	:: atomic {
		file_version != fingerprint ->
#ifndef FINGERPRINT_AFTER_LOAD
		fingerprint = file_version
#endif
	}
		if
		:: file_broken
		:: atomic { !file_broken -> fresh = file_revoked }
#ifdef REFRESH_AFTER_TAKING
			/* BROKEN: said before the core knows. */
			acknowledged = true
#else
			atomic { put_in_force(); fresh = 0; acknowledged = true }
#endif
		fi
#ifdef FINGERPRINT_AFTER_LOAD
		/* BROKEN: what changed in between is never seen. */
		;
		fingerprint = file_version
#endif
	fi
}

/* submit, when the batch has no room for this one: answered first. */
inline make_room()
{
	if
	:: slots > 0 ->
		atomic { kept_what = what; kept_serial = serial }
		answer_batch();
		atomic { what = kept_what; serial = kept_serial; kept_what = 0; kept_serial = 0 }
#ifdef LOSE_WHEN_FULL
		/* BROKEN: not submitted again. */
		lost = true
#endif
	:: true
	fi
}

inline serve_once()
{
	do
	:: atomic { taken < BATCH && nempty(arrived) -> arrived?what, serial; taken++ }
		make_room();
		atomic {
#ifdef LOSE_WHEN_FULL
			if
			:: lost -> lost = false
			:: else -> take()
			fi;
#else
			take();
#endif
			what = 0;
			serial = 0
		}
	:: atomic { taken == BATCH || empty(arrived) -> taken = 0; break }
	od;
	if
	:: slots > 0 -> answer_batch()
	:: else
	fi
}

/* Told to go elsewhere: no data, no record. */
inline drain()
{
	do
	:: atomic {
		arrived?what, serial ->
		note_reply(serial)
	}
	:: empty(arrived) -> break
	od
}

inline lose_memory()
{
	crashes++;
	running = false;
	connected = false;
	do
	:: arrived?what, serial
	:: empty(arrived) -> break
	od;
	forget_batch();
	slots = 0;
	sent = 0;
	taken = 0;
	what = 0;
	serial = 0;
	kept_what = 0;
	kept_serial = 0;
	slot_what[0] = 0;
	slot_what[1] = 0;
	slot_serial[0] = 0;
	slot_serial[1] = 0;
	slot_good[0] = false;
	slot_good[1] = false;
	good = false;
	done = false;
	suspect = false;
	fresh = 0;
	log_unread = false;
	disk_records = 0;
	late = 0;
	fingerprint = 0;
#ifndef START_FROM_A_COPY /* BROKEN: what was in force before is in force again */
	zap_revoked = 0;
	revoked = 0
#endif
}

proctype broker()
{
	byte what, serial, kept_what, kept_serial, taken, sent, fresh;
	bool good, done, lost;

start:
	/* load_files, open_core: a file that cannot be read is no start, and somebody tries again. */
	fingerprint = file_version;
	atomic {
		!file_broken ->
		revoked_at_start = file_revoked | disk_quarantine;
#ifdef REFRESH_AFTER_TAKING
		fresh = file_revoked;
#endif
#ifdef START_FROM_A_COPY
		if
		:: crashes == 0 -> zap_revoked = file_revoked; revoked = file_revoked | disk_quarantine
		:: else
		fi;
#elif defined(START_WITHOUT_QUARANTINE) /* BROKEN: quarantine_load is left out */
		zap_revoked = file_revoked;
		revoked = file_revoked;
#else
		zap_revoked = file_revoked;
		revoked = file_revoked | disk_quarantine;
#endif
		if
		:: file_revoked -> acknowledged = true /* "ready" */
		:: else
		fi;
		running = true
	}
	do
	:: crashes < CRASHES -> /* SIGTERM */
		drain();
		goto crashed
	:: true ->
		refresh_register();
		serve_once();
#ifdef REFRESH_AFTER_TAKING
		atomic { put_in_force() }
#endif
	od;
crashed:
	atomic { lose_memory(); goto start }
}

init {
	atomic {
#ifdef NO_FAILURES
		select (watched : 0 .. SERIALS - 1);
#endif
		run broker();
		run client();
		run registration_authority()
	}
}

#ifdef NO_FAILURES
/* (e), under weak fairness. */
ltl answered { [] ((asked & BIT(watched)) -> <> (replied & BIT(watched))) }
ltl in_force { [] (written -> <> acknowledged) }
#endif
