#!/bin/bash
# Inside the container: a registration authority, its people, and what the broker needs of it in /etc/cpis, as the manual says.
# usage: world.sh
set -euo pipefail
mkdir -p /root/world && cd /root/world
cpis certs init --dir authority --broker-name broker-1 > /dev/null
issue_system() {
	cpis certs issue-system --dir authority --ods "$1" --name "$2" --out systems > /dev/null
}
issue_staff() {
	cpis certs issue-staff --dir authority --uid "$1" --name "$2" --out staff > /dev/null
}
issue_system RXH hospital && issue_system 383 leeds && issue_system X26 national && issue_system W00 neighbour
issue_system RXH fhir && issue_system RXH adt && issue_system 383 mesh && issue_system 383 notify
cpis certs issue-system --dir authority --ods RXH --name pages --web-host pages.example --out systems > /dev/null
issue_staff 555000000001 "Grace Okafor" && issue_staff 555000000007 "Anjali Rao" && issue_staff 555000000010 "Helen Marsh"
issue_staff 555000000013 "Carys Bevan" && issue_staff 555000000014 "Rhys Bevan"
cat > /etc/cpis/register.yaml << 'END'
organisations:
  - {ods: RXH, name: University Hospitals Sussex, type: care_provider, care_settings: [emergency_department]}
  - {ods: "383", name: Leeds City Council, type: local_authority, care_settings: [social_care]}
  - {ods: X26, name: NHS England, type: national_body}
  - {ods: W00, name: Register of the Next Country, type: national_body, answers: {plans: [9995000000-9995999999]}}
role_profiles:
  - {uid: "555000000001", role: R8001, organisation: RXH, from: 2020-01-01}
  - {uid: "555000000007", role: R9535, organisation: "383", from: 2020-01-01}
  - {uid: "555000000010", role: R5105, organisation: X26, from: 2020-01-01}
  - {uid: "555000000013", role: R8015, organisation: W00, from: 2020-01-01}
  - {uid: "555000000014", role: R8015, organisation: X26, from: 2020-01-01, activities: [L0501]}
END
# Without the bounds on how often somebody may ask: the load of the upgrade is one nurse's.
grep -v '_per_minute:' /usr/share/cpis/policy.yaml > /etc/cpis/policy.yaml
sed -i 's|^policy_file: .*|policy_file: policy.yaml|' /etc/cpis/broker.yaml
# Staff whom an identity provider signs in.
/root/ask.py provider /etc/cpis/identity
echo "identity_directory: identity" >> /etc/cpis/broker.yaml
cp authority/broker/broker.pem /etc/cpis/
cp authority/trust/* /etc/cpis/trust/
cp authority/enrolled/* /etc/cpis/enrolled/
install -m 600 authority/broker/broker.key authority/broker/log.key /etc/cpis/keys/
cpis-broker --make-store-key /etc/cpis/keys/store.key
# profile NAME SYSTEM STAFF ROLE
profile() {
	cat > "$1.yaml" << END
endpoint: tcp://127.0.0.1:4420
broker_name: broker-1
broker_certificate: authority/broker/broker.pem
trust_directory: authority/trust
system_certificate: systems/$2.pem
system_key: systems/$2.key
staff_certificate: staff/$3.pem
staff_key: staff/$3.key
role: $4
END
}
profile nurse hospital 555000000001 R8001
profile leeds leeds 555000000007 R9535
profile guardian national 555000000010 R5105
cat > leeds.csv << END
nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date
9990000018,CPP,$(date -u -d "-14 months" +%F),,,LCS-77-0001,EXAMPLE,ALEX,$(date -u -d "-72 months" +%F)
END

# The pages: their keys are root's, and handed over.
mkdir -p /etc/cpis/web/keys /etc/cpis/web/passkeys
chmod 700 /etc/cpis/web/keys
cp tls/web.pem systems/pages.pem /etc/cpis/web/
install -m 600 tls/web.key systems/pages.key /etc/cpis/web/keys/
cat > /etc/cpis/web/cpis-web.yaml << 'END'
listen: 127.0.0.1:443
web_certificate: web.pem
web_key: credential:web.key
profile: gateway.yaml
staff_directory: passkeys
organisation: University Hospitals Sussex
roles: [{code: R8001, name: Nurse}]
END
cat > /etc/cpis/web/gateway.yaml << 'END'
endpoint: tcp://127.0.0.1:4420
broker_name: broker-1
broker_certificate: /etc/cpis/broker.pem
trust_directory: /etc/cpis/trust
system_certificate: pages.pem
system_key: credential:pages.key
checkpoint_file: /var/lib/cpis-web/checkpoint
END
mkdir -p /etc/systemd/system/cpis-web.service.d
cat > /etc/systemd/system/cpis-web.service.d/keys.conf << 'END'
[Service]
LoadCredential=web.key:/etc/cpis/web/keys/web.key
LoadCredential=pages.key:/etc/cpis/web/keys/pages.key
END

# A neighbouring register: its keys are its user's.
cd /etc/cpis/responder
cp /root/world/systems/neighbour.pem /root/world/staff/555000000013.pem .
install -m 600 -o cpis-responder -g cpis-responder /root/world/systems/neighbour.key /root/world/staff/555000000013.key .
cat > neighbour.yaml << 'END'
endpoint: tcp://127.0.0.1:4420
broker_name: broker-1
broker_certificate: /etc/cpis/broker.pem
trust_directory: /etc/cpis/trust
system_certificate: neighbour.pem
system_key: neighbour.key
staff_certificate: 555000000013.pem
staff_key: 555000000013.key
role: R8015
END
echo 'ARGUMENTS=--range 9995000000-9995999999 /etc/cpis/responder/plans.csv' > neighbour.conf
cat > plans.csv << 'END'
nhs_number,plan_type,start_date,end_date,organisation,authority,emergency_duty_telephone,office_hours_telephone
9995000008,CPP,2026-03-01,,7W1,Aberdyfi County Council,01632 960100,01632 960200
END

# Whoever has the contact sheet made every week.
cd /etc/cpis/sheet
cp /root/world/systems/national.pem /root/world/staff/555000000014.pem .
install -m 600 -o cpis-sheet -g cpis-sheet /root/world/systems/national.key /root/world/staff/555000000014.key .
cat > profile.yaml << 'END'
endpoint: tcp://127.0.0.1:4420
broker_name: broker-1
broker_certificate: /etc/cpis/broker.pem
trust_directory: /etc/cpis/trust
system_certificate: national.pem
system_key: national.key
staff_certificate: 555000000014.pem
staff_key: 555000000014.key
role: R8015
END
systemctl daemon-reload
