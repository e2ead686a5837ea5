# What other systems speak to, each under its unit: FHIR, HL7 v2 by MLLP, an authority's folders. Read by package.sh, whose words it uses.

adaptors_units=(cpis-fhir cpis-hl7@ae cpis-mesh@leeds)

adaptors_are_refused() {
	local unit
	for unit in "${adaptors_units[@]}"; do
		is "$unit after its installation" "$(property "$unit" UnitFileState) $(property "$unit" ActiveState)" "disabled inactive"
		refuses "$unit that is not configured is not started" 1 "Assertion failed" inside systemctl start "$unit"
	done
}

# Nothing was denied to it that it wanted.
adaptors_lack_nothing() {
	said=$(inside journalctl --no-pager --output=cat -u "$1")
	[[ $said != *"not permitted"* && $said != *"Traceback"* ]] || fail "the unit denies $1 something: $said"
}

ask() {
	inside /root/ask.py "$@"
}

# A file as the authority's system writes it. adaptors_send NAME NUMBER CHILD
adaptors_send() {
	# shellcheck disable=SC2016
	inside runuser -u lcs -- sh -c 'umask 027 && cd /var/spool/cpis-mesh/leeds/OUT && cat > "$1.dat" &&
		echo "<DTSControl><MessageType>Data</MessageType><LocalId>$2</LocalId><WorkflowId>CPIS_UPLOAD</WorkflowId></DTSControl>" > "$1.ctl"' \
		sh "$1" "$2" << END
nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date
$3,CPP,$(date -u -d "-3 months" +%F),,,LCS-77-$2,EXAMPLE,GINA,$(date -u -d "-60 months" +%F)
END
}

adaptors_reported() {
	inside runuser -u lcs -- grep -q '"exit_code": 0' "/var/spool/cpis-mesh/leeds/IN/REPORT_$1.dat"
}

# By each of them. adaptors_answer NUMBER CHILD: of the next file, and of a message that was not sent before.
adaptors_answer() {
	ok "a FHIR search is answered by the unit" ask flag 9990000018
	says '"resourceType":"Flag"'
	ok "an ADT message is answered by the unit" ask adt "m$1" 9990000018
	says "CPIS-FLAG^Known to children's social care^L||Y"
	ok "an authority's system writes a file" adaptors_send "file$1" "$1" "$2"
	wait_for "the unit publishes it, and its report can be read" adaptors_reported "file$1"
	ok "the child is known" world cpis --profile nurse.yaml query --details "$2"
	says "Leeds City Council"
}

adaptors_run() {
	local unit
	for unit in "${adaptors_units[@]}"; do
		ok "$unit is started" inside systemctl start "$unit"
		is "its unit" "$(property "$unit" ActiveState) $(property "$unit" NotifyAccess) $(property "$unit" User)" "active main ${unit%@*}"
	done
	is "what they say" "$(property cpis-fhir StatusText); $(property cpis-hl7@ae StatusText); $(property cpis-mesh@leeds StatusText)" \
		"serves https://fhir.example; listens on 127.0.0.1:2575; publishes what lies in /var/spool/cpis-mesh/leeds/OUT"
	adaptors_answer 2 9990000204
	refuses "another facade, by hand, at an address that is taken" 2 "127.0.0.2:443 cannot be listened on" inside sh -c 'cd /etc/cpis/fhir &&
		grep -v ^checkpoint facade.yaml > other.yaml && sed s/facade/other/ fhir.yaml > by-hand.yaml && exec cpis-fhir --config by-hand.yaml'
	is "an answer as a file" "$(inside sh -c 'stat -c "%U %G %a" /var/spool/cpis-hl7/ae/*.json')" "cpis-hl7 pas 640"
	for unit in "${adaptors_units[@]}"; do
		adaptors_lack_nothing "$unit"
		refuses "$unit's keys are nobody else's" 1 "Permission denied" inside runuser -u lcs -- cat "/run/credentials/$unit.service/system.key"
		checks=$((checks + 1))
		[ -n "$(inside find "/var/lib/${unit/@//}" -name 'checkpoint*' -user "${unit%@*}")" ] || fail "$unit does not remember the log"
	done
}

adaptors_hang() {
	mkdir -p "$machine/etc/systemd/system/cpis-hl7@.service.d"
	printf '[Service]\nWatchdogSec=2s\nRestartSec=100ms\n' > "$machine/etc/systemd/system/cpis-hl7@.service.d/watchdog.conf"
	ok "a shorter watchdog for cpis-hl7" inside sh -c 'systemctl daemon-reload && systemctl restart cpis-hl7@ae'
	# shellcheck disable=SC2016
	ok "it is stopped in its tracks" inside sh -c 'kill -STOP $(systemctl show -P MainPID cpis-hl7@ae)'
	wait_for "systemd ends it, and starts another" started_again 0 cpis-hl7@ae
	ok "which answers" ask adt hung 9990000018
	rm -r "$machine/etc/systemd/system/cpis-hl7@.service.d"
	ok "a wrong word in its settings" inside sh -c 'systemctl daemon-reload && echo "colour: red" >> /etc/cpis/hl7/ae/hl7.yaml'
	refuses "is refused" 1 "failed" inside systemctl restart cpis-hl7@ae
	said=$(inside journalctl --no-pager --output=cat -u cpis-hl7@ae)
	says "hl7.yaml: unknown key colour"
	is "and not tried again: its unit" "$(property cpis-hl7@ae ActiveState)" failed
	ok "without it all is well" inside sh -c 'sed -i /colour/d /etc/cpis/hl7/ae/hl7.yaml && systemctl restart cpis-hl7@ae'
}

adaptors_stop() {
	local unit
	for unit in "${adaptors_units[@]}"; do
		ok "$unit is stopped" inside systemctl stop "$unit"
		is "its end" "$(property "$unit" Result) $(property "$unit" ExecMainStatus)" "success 0"
		ok "and started again" inside systemctl start "$unit"
	done
}
