-- "Just use Postgres": the register with row-level security, the audit table and the outbox, and 250,000 plans.
CREATE ROLE client LOGIN;

CREATE TABLE role_profile (uid text PRIMARY KEY, role text NOT NULL);
INSERT INTO role_profile SELECT (555000000000 + n)::text, 'R8001' FROM generate_series(1, 1000) AS n;

CREATE TABLE plan (child text NOT NULL, authority text NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (child, authority));
INSERT INTO plan SELECT 'plan' || n, '383', decode(repeat('5a', 200), 'hex') FROM generate_series(0, 249999) AS n;
ALTER TABLE plan ENABLE ROW LEVEL SECURITY;
CREATE POLICY look ON plan FOR SELECT TO client
	USING ((SELECT true FROM role_profile WHERE uid = current_setting('cpis.uid', true) AND role = 'R8001'));

CREATE TABLE audit (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, child text NOT NULL,
	record bytea NOT NULL);
CREATE TABLE outbox (id bigserial PRIMARY KEY, authority text NOT NULL, child text NOT NULL);

GRANT SELECT ON plan, role_profile TO client;
GRANT INSERT ON audit, outbox TO client;
GRANT USAGE ON SEQUENCE audit_id_seq, outbox_id_seq TO client;
ANALYZE;
