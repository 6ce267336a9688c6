# shellcheck shell=bash
# The settings of the brokers that tests/tools/kafka starts: listeners, ports, users, logging. Sourced, not run.

# Kafka 3.9 logs by log4j 1 (reload4j), Kafka 4 by log4j 2.
logging_flag() {
  if [[ "$1" == 3.* ]]; then echo "-Dlog4j.configuration=file:$2"; else echo "-Dlog4j2.configurationFile=$2"; fi
}

log4j1_settings() {
  cat <<TEXT
log4j.rootLogger=$1, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.File=$2
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d %p %c{1}: %m%n
TEXT
}

log4j2_settings() {
  cat <<TEXT
status = error
appender.file.type = File
appender.file.name = file
appender.file.fileName = $2
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = $1
rootLogger.appenderRef.file.ref = file
TEXT
}

# The file is complete or absent: tools that run at the same time share it.
write_logging() {
  local file="$1" version="$2" level="$3" log="$4" temporary
  temporary="$(mktemp "${file}.XXXXXX")"
  if [[ "${version}" == 3.* ]]; then
    log4j1_settings "${level}" "${log}" >"${temporary}"
  else
    log4j2_settings "${level}" "${log}" >"${temporary}"
  fi
  mv "${temporary}" "${file}"
}

# --- users

# One user a line, NAME:PASSWORD. A later start keeps those of the first one: the storage has them.
remember_users() {
  local dir="$1" users="$2" user
  [[ -n "${users}" ]] || return 0
  (umask 077 && : >"${dir}/users")
  for user in ${users//,/ }; do
    [[ "${user}" =~ ^[a-zA-Z0-9_-]+:[a-zA-Z0-9_-]+$ ]] || die "--sasl takes NAME:PASSWORD,... of letters, digits, - and _"
    echo "${user}" >>"${dir}/users"
  done
}

has_users() { [[ -s "$1/users" ]]; }

# For StorageTool: Kafka keeps SCRAM users in its own metadata, so they have to be there before the first start.
scram_users() {
  local dir="$1" name password mechanism
  has_users "${dir}" || return 0
  while IFS=: read -r name password; do
    for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
      printf '%s\n' --add-scram "${mechanism}=[name=${name},password=${password}]"
    done
  done <"${dir}/users"
}

sasl_settings() {
  local dir="$1" scram=org.apache.kafka.common.security.scram.ScramLoginModule known=
  has_users "${dir}" || return 0
  known="$(sed 's/^\(.*\):\(.*\)$/user_\1="\2"/' "${dir}/users" | paste -sd' ')"
  cat <<TEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${known};
listener.name.sasl.scram-sha-256.sasl.jaas.config=${scram} required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=${scram} required;
TEXT
}

# --- ports and listeners

# One port for each broker, or none at all.
remember_gates() {
  local dir="$1" gates="$2" node=0 gate
  [[ -n "${gates}" ]] || return 0
  for gate in ${gates//,/ }; do
    node=$((node + 1))
    [[ "${gate}" =~ ^([a-z0-9.-]+:)?([0-9]{1,5})$ ]] || die "'${gate}' should be the port of a gate, or its host and port"
    echo "${BASH_REMATCH[1]:-127.0.0.1:}${BASH_REMATCH[2]}" >"${dir}/broker-${node}.gate"
  done
  ((node == $(<"${dir}/brokers"))) || die "${node} gates for $(<"${dir}/brokers") brokers: give one port each"
}

choose_port() {
  local dir="$1" file="$2"
  port_of_last_time "${file}" >"${dir}/port.new"
  mv "${dir}/port.new" "${file}"
}

choose_ports() {
  local dir="$1" node
  choose_port "${dir}" "${dir}/controller.port"
  for ((node = 1; node <= $(<"${dir}/brokers"); node++)); do
    choose_port "${dir}" "${dir}/broker-${node}.port"
    if [[ -s "${dir}/broker-${node}.gate" ]]; then choose_port "${dir}" "${dir}/broker-${node}.gated"; fi
    if has_users "${dir}"; then choose_port "${dir}" "${dir}/broker-${node}.sasl"; fi
  done
}

# What a broker listens on for clients, and what it advertises of it.
client_listeners() {
  local dir="$1" node="$2" listeners advertised
  listeners="PLAINTEXT://127.0.0.1:$(<"${dir}/broker-${node}.port")"
  if has_users "${dir}"; then listeners+=",SASL://127.0.0.1:$(<"${dir}/broker-${node}.sasl")"; fi
  advertised="${listeners}"
  if [[ -s "${dir}/broker-${node}.gate" ]]; then
    listeners+=",GATED://127.0.0.1:$(<"${dir}/broker-${node}.gated")"
    advertised+=",GATED://$(<"${dir}/broker-${node}.gate")"
  fi
  echo "${listeners} ${advertised}"
}

# A killed broker is let in again only when its old session is over: 4 s here, 9 s by default.
write_settings() {
  local dir="$1" node="$2" roles=broker listeners advertised controller replicas
  controller="127.0.0.1:$(<"${dir}/controller.port")"
  read -r listeners advertised < <(client_listeners "${dir}" "${node}")
  replicas=$(($(<"${dir}/brokers") < 3 ? $(<"${dir}/brokers") : 3))
  if ((node == 1)); then
    roles=broker,controller
    listeners+=",CONTROLLER://${controller}"
  fi
  cat >"${dir}/broker-${node}.properties" <<TEXT
process.roles=${roles}
node.id=${node}
controller.quorum.voters=1@${controller}
listeners=${listeners}
advertised.listeners=${advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,GATED:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${dir}/broker-${node}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=${replicas}
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=${replicas}
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=${replicas}
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=4
TEXT
  sasl_settings "${dir}" >>"${dir}/broker-${node}.properties"
  if [[ -s "${dir}/extra.properties" ]]; then cat "${dir}/extra.properties" >>"${dir}/broker-${node}.properties"; fi
  write_logging "${dir}/broker-${node}.logging.properties" "$(version_of "${dir}")" warn "${dir}/broker-${node}.log"
}
