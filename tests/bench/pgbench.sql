-- The floor: tables as the store has them (broker/README.md, "What is stored"), with the same indexes and sizes, and without what
-- the store has for safety: rights, triggers, and the check that a commit waits. Each client has a log, an inbox and a row of its own,
-- so that none waits for another. 25,000 plans: FLOOR_PLANS of pgbench.c.
CREATE TABLE turn (client bigint PRIMARY KEY, batches bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE revision (id bigint PRIMARY KEY, number bigint NOT NULL);
CREATE TABLE checkpoint (client bigint PRIMARY KEY, note text NOT NULL);
CREATE TABLE audit_block (client bigint NOT NULL, block bigint NOT NULL, min_ms bigint NOT NULL, max_ms bigint NOT NULL,
	PRIMARY KEY (client, block));
CREATE TABLE plan (slot bytea, generation bigint, subject bytea NOT NULL, authority text NOT NULL, sealed bytea NOT NULL,
	PRIMARY KEY (slot, generation));
CREATE INDEX plan_by_subject ON plan (subject);
CREATE TABLE inactive (subject bytea PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE authority (organisation text PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE audit (client bigint, idx bigint, salt bytea NOT NULL, record bytea NOT NULL, nodes bytea NOT NULL, time_ms bigint NOT NULL,
	organisation text NOT NULL, subject bytea, person bytea, PRIMARY KEY (client, idx));
CREATE INDEX audit_by_subject ON audit (client, subject, idx) WHERE subject IS NOT NULL;
CREATE INDEX audit_by_person ON audit (client, person, idx) WHERE person IS NOT NULL;
CREATE INDEX audit_by_organisation ON audit (client, organisation, idx);
CREATE TABLE access (client bigint, subject bytea, audit_index bigint, silent boolean NOT NULL, sealed bytea NOT NULL,
	PRIMARY KEY (client, subject, audit_index));
CREATE TABLE inbox_number (organisation text, box bigint, last bigint NOT NULL, PRIMARY KEY (organisation, box));
CREATE TABLE inbox (organisation text, box bigint, id bigint, kind bigint NOT NULL, created_ms bigint NOT NULL,
	acknowledged_ms bigint NOT NULL DEFAULT 0, due_ms bigint NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (organisation, box, id));
CREATE INDEX inbox_open ON inbox (organisation, box, id) WHERE acknowledged_ms = 0;
CREATE INDEX inbox_due ON inbox (box, due_ms) WHERE due_ms > 0;
CREATE TABLE request (key bytea PRIMARY KEY, digest bytea NOT NULL, expires_ms bigint NOT NULL, sealed bytea NOT NULL);
CREATE INDEX request_by_expiry ON request (expires_ms);

INSERT INTO turn SELECT n, 0 FROM generate_series(0, 7) AS n;
INSERT INTO revision VALUES (1, 1);
INSERT INTO authority VALUES ('383', decode(repeat('5a', 200), 'hex'));
INSERT INTO plan SELECT decode(md5('slot' || n), 'hex'), 1, decode(md5('plan' || n), 'hex'), '383', decode(repeat('5a', 99), 'hex')
	FROM generate_series(0, 24999) AS n;
