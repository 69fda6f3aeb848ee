#!/usr/bin/env bash
# A real Apache Kafka broker on loopback, one process that is its own controller:
#
#   broker.sh lib VERSION                 fetches its program into build/kafka, pinned by hash
#   broker.sh run VERSION FOLDER PORT [FILE]   runs it, with its data in FOLDER and, added to
#                                         its settings, those of FILE; until it is told to end, or
#                                         the process KAFKA_PARENT ends. KAFKA_CLUSTER is the
#                                         cluster's id; KAFKA_JOINS, what formats a node that joins
#   broker.sh up VERSION                  starts one at 127.0.0.1:9092 (KAFKA_PORT) and returns
#   broker.sh down                        ends that one
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/scripts/kafka
build=$root/build/kafka

lib() {
	local version=$1 dir=$build/lib-$1
	local sums=$here/lib-$version.sha256
	[[ -f $sums ]] || { echo "there is no list of hashes for Kafka $version" >&2; exit 1; }
	if (cd "$dir" 2>/dev/null && sha256sum --check --strict --quiet "$sums" 2>/dev/null); then
		return
	fi
	rm -rf "$dir"
	mvn -q -B -f "$here/pom.xml" "-Dkafka=$version" \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies "-DoutputDirectory=$dir" -DincludeScope=runtime
	(cd "$dir" && sha256sum --check --strict --quiet "$sums")
}

# The cluster's id is made of the folder, so that it is the same when it is run again.
settings() {
	local dir=$1 port=$2 extra=${3:-}
	cat <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.bootstrap.servers=127.0.0.1:$((port + 1))
		controller.listener.names=CONTROLLER
		listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
		advertised.listeners=PLAINTEXT://127.0.0.1:$port
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
		log.dirs=$dir/data
		offsets.topic.replication.factor=1
		offsets.topic.num.partitions=4
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		transaction.state.log.num.partitions=4
		group.initial.rebalance.delay.ms=0
		auto.create.topics.enable=false
		delete.topic.enable=true
		log.retention.check.interval.ms=1000
		log.initial.task.delay.ms=1000
		log.cleaner.backoff.ms=500
		file.delete.delay.ms=100
		controlled.shutdown.enable=false
	END
	[[ -z $extra ]] || cat "$extra"
}

# A broker whose parent is killed is nobody's: it ends, too.
orphaned() {
	while kill -0 "$1" && kill -0 "$2"; do
		sleep 1
	done
	kill -9 "$2"
}

run() {
	local version=$1 dir=$2 port=$3 extra=${4:-}
	mkdir -p "$dir"
	settings "$dir" "$port" "$extra" >"$dir/server.properties"
	local java=(java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.level=WARN" -cp "$build/lib-$version/*")
	if [[ ! -f $dir/data/meta.properties ]]; then
		local id
		id=${KAFKA_CLUSTER:-$(printf %s "$dir" | sha256sum | cut -c1-21 | tr -d '\n')A}
		"${java[@]}" kafka.tools.StorageTool format ${KAFKA_JOINS:---standalone} --ignore-formatted -t "$id" -c "$dir/server.properties" ${KAFKA_SCRAM:+--add-scram "$KAFKA_SCRAM"} >"$dir/format.log" 2>&1
	fi
	[[ -z ${KAFKA_PARENT:-} ]] || orphaned "$KAFKA_PARENT" $$ </dev/null >/dev/null 2>&1 &
	exec "${java[@]}" kafka.Kafka "$dir/server.properties"
}

up() {
	local version=$1 dir=$build/run port=${KAFKA_PORT:-9092}
	lib "$version"
	if [[ -f $dir/pid ]] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
		echo "it runs already, at 127.0.0.1:$port"
		return
	fi
	rm -rf "$dir"
	mkdir -p "$dir"
	nohup "$0" run "$version" "$dir" "$port" >"$dir/broker.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	for _ in {1..240}; do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "Kafka $version at 127.0.0.1:$port; its data is in build/kafka/run"
			return
		fi
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || { tail -20 "$dir/broker.log" >&2; exit 1; }
		sleep 0.25
	done
	echo "it does not answer" >&2
	exit 1
}

down() {
	local dir=$build/run
	[[ -f $dir/pid ]] || return 0
	kill "$(cat "$dir/pid")" 2>/dev/null || true
	for _ in {1..40}; do
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
		sleep 0.25
	done
	kill -9 "$(cat "$dir/pid")" 2>/dev/null || true
	rm -rf "$dir"
}

"$@"
