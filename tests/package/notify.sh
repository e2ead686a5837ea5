# An authority's endpoint that is told by FHIR, under the notifier's unit. Read by package.sh, whose words it uses.

notify_is_refused() {
	is "cpis-fhir-notify@leeds after its installation" "$(property cpis-fhir-notify@leeds UnitFileState) $(property cpis-fhir-notify@leeds ActiveState)" \
		"disabled inactive"
	refuses "one that is not configured is not started" 1 "Assertion failed" inside systemctl start cpis-fhir-notify@leeds
}

notify_acknowledged() {
	world cpis --profile leeds.yaml inbox list | grep -q '^0 not acknowledged'
}

# Before cpis-mesh, which brings the same inbox's items as files.
notify_run() {
	ok "an authority's endpoint is there" inside systemd-run --quiet --unit=endpoint /root/endpoint.py
	wait_for "it listens" inside test -e /root/endpoint.listens
	ok "it is tried, before any child's data goes there" inside runuser -u cpis-fhir-notify -- /etc/cpis/fhir-notify/leeds/notify.yaml --handshake
	says "endpoint.example has accepted a handshake"
	ok "the notifier is started" inside systemctl start cpis-fhir-notify@leeds
	is "its unit" "$(property cpis-fhir-notify@leeds ActiveState) $(property cpis-fhir-notify@leeds User)" "active cpis-fhir-notify"
	wait_for "the endpoint is told of the look" inside grep -q '"AuditEvent".*9990000018' /root/told
	wait_for "what is told is acknowledged" notify_acknowledged
	said=$(inside journalctl --no-pager --output=cat -u cpis-fhir-notify@leeds)
	[[ $said != *"not permitted"* && $said != *"no Landlock"* && $said != *999000* ]] || fail "the unit denies the notifier something, or its journal has a child: $said"
	refuses "its keys are nobody else's" 1 "Permission denied" inside runuser -u lcs -- cat /run/credentials/cpis-fhir-notify@leeds.service/staff.key
	ok "it is stopped" inside systemctl stop cpis-fhir-notify@leeds
	is "its end" "$(property cpis-fhir-notify@leeds Result) $(property cpis-fhir-notify@leeds ExecMainStatus)" "success 0"
	ok "a wrong word in its settings" inside sh -c 'echo "colour: red" >> /etc/cpis/fhir-notify/leeds/notify.yaml'
	refuses "is refused, and no item is taken" 1 "failed" inside systemctl start cpis-fhir-notify@leeds
	said=$(inside journalctl --no-pager --output=cat -u cpis-fhir-notify@leeds)
	says "notify.yaml:7: unknown key 'colour'"
	ok "and without it all is well" inside sh -c 'sed -i /colour/d /etc/cpis/fhir-notify/leeds/notify.yaml && systemctl restart cpis-fhir-notify@leeds'
	ok "it makes room for the folders" inside systemctl stop cpis-fhir-notify@leeds endpoint
}
