#!/bin/bash
# Inside the container, after world.sh: the FHIR facade, the HL7 adaptor and the folders of an authority, as their README files say.
# usage: adaptors_world.sh
set -euo pipefail
cd /root/world
# keys FOLDER GROUP SYSTEM [STAFF]: certificates for the group to read, keys for root alone.
keys() {
	install -d -m 750 -g "$2" "$1"
	install -d -m 700 "$1/keys"
	install -m 644 "systems/$3.pem" "$1/system.pem"
	install -m 600 "systems/$3.key" "$1/keys/system.key"
	[ -n "${4:-}" ] || return 0
	install -m 644 "staff/$4.pem" "$1/staff.pem"
	install -m 600 "staff/$4.key" "$1/keys/staff.key"
}

# profile STATE [ROLE]
profile() {
	cat << END
endpoint: tcp://127.0.0.1:4420
broker_name: broker-1
broker_certificate: /etc/cpis/broker.pem
trust_directory: /etc/cpis/trust
system_certificate: system.pem
system_key: credential:system.key
checkpoint_file: /var/lib/$1/checkpoint
END
	[ -z "${2:-}" ] || printf 'staff_certificate: staff.pem\nstaff_key: credential:staff.key\nrole: %s\n' "$2"
}

keys /etc/cpis/fhir cpis-fhir fhir
cp tls/fhir.pem /etc/cpis/fhir/
install -m 600 tls/fhir.key /etc/cpis/fhir/keys/tls.key
profile cpis-fhir > /etc/cpis/fhir/facade.yaml
cat > /etc/cpis/fhir/fhir.yaml << 'END'
listen: 127.0.0.2:443
host: fhir.example
certificate: fhir.pem
key: credential:tls.key
profile: facade.yaml
care_setting: emergency_department
END

keys /etc/cpis/hl7/ae cpis-hl7 adt 555000000001
profile cpis-hl7/ae R8001 > /etc/cpis/hl7/ae/adt.yaml
groupadd pas
install -d -o cpis-hl7 -g pas -m 2770 /var/spool/cpis-hl7/ae
cat > /etc/cpis/hl7/ae/hl7.yaml << 'END'
listen: 127.0.0.1:2575
profile: adt.yaml
care_setting: emergency_department
segment: OBX
directory: /var/spool/cpis-hl7/ae
END

keys /etc/cpis/mesh/leeds cpis-mesh mesh 555000000007
profile cpis-mesh/leeds R9535 > /etc/cpis/mesh/leeds/profile.yaml
echo 'ARGUMENTS=--mailbox LEEDS001 --interval 0.2' > /etc/cpis/mesh/leeds/mesh.conf
install -d -o cpis-mesh -g cpis-mesh -m 2770 /var/spool/cpis-mesh/leeds/{OUT,SENT,IN}
# The authority's own system.
useradd --system lcs
usermod -aG cpis-mesh lcs

keys /etc/cpis/fhir-notify/leeds cpis-fhir-notify notify 555000000007
profile cpis-fhir-notify/leeds R9535 > /etc/cpis/fhir-notify/leeds/profile.yaml
cp tls/endpoint.pem /etc/cpis/fhir-notify/leeds/
# What the program itself reads is its user's: it is handed nothing.
echo "Bearer of-leeds" | install -m 600 -o cpis-fhir-notify -g cpis-fhir-notify /dev/stdin /etc/cpis/fhir-notify/leeds/authorization
cat > /etc/cpis/fhir-notify/leeds/notify.yaml << 'END'
#!/usr/bin/cpis-fhir-notify --config
endpoint: https://endpoint.example:8443/notifications
ca_file: endpoint.pem
subscription: 0e31b1b4-9a4d-4b0e-8f0c-6f1f7a3c2d51
payload: full-resource
authorization_file: authorization
END
chmod 755 /etc/cpis/fhir-notify/leeds/notify.yaml
echo "127.0.0.3 endpoint.example" >> /etc/hosts
