#!/bin/bash
# Inside the container: asks again and again until the file `stop` is there, and notes each exit code. At most 20,000 times.
# usage: load.sh NUMBER
cd /root/world
for ((i = 0; i < 20000; i++)); do
	[ ! -e stop ] || break
	cpis --profile nurse.yaml query 9990000018 > "load.$1.out" 2>&1
	code=$?
	echo "$code" >> "load.$1.codes"
	[ "$code" = 0 ] || cat "load.$1.out" >> "load.$1.failed"
done
