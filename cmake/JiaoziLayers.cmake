# The dependency table of docs/architecture.md, as data. A library may include only what its row lists; a missing
# arrow is a decision, explained in that page. `tools/check_layers.py` holds every #include against the same rows.
#
#   JIAOZI_MAY_USE_<library>   what it may include
#   JIAOZI_LIBRARIES           build order, lowest layer first

set(JIAOZI_LIBRARIES
  base ed25519
  money codec crypto model
  ledger storage purse purse_host protocol registry keystores
  carriers
  engine proof api identity groups merchants payments settlement device
  devices mqtt webhooks http
  client terminal simulators anchor purse_bench
  sim
  jiaozi)

# layer 0
set(JIAOZI_MAY_USE_base "")
# Rust behind a C header; `crypto` alone uses it.
set(JIAOZI_MAY_USE_ed25519 "")
# layer 1
set(JIAOZI_MAY_USE_money base)
set(JIAOZI_MAY_USE_codec base)
set(JIAOZI_MAY_USE_crypto base codec ed25519)
# The vocabulary of the domain (ids, enumerations, records), shared by protocol, registry, services and gateways.
set(JIAOZI_MAY_USE_model base money)
# layer 2
set(JIAOZI_MAY_USE_ledger base money)
set(JIAOZI_MAY_USE_storage base codec crypto)
# The offline purse in the device profile uses nothing of the project, so that the same source builds for anything;
# purse_host gives it the project's cryptography and files.
set(JIAOZI_MAY_USE_purse "")
set(JIAOZI_MAY_USE_purse_host base codec crypto purse)
set(JIAOZI_MAY_USE_protocol base money codec crypto model)
set(JIAOZI_MAY_USE_registry base money model)
# Where a purse's key and counter live: file, TPM 2.0, PKCS#11, card. Needs heap and system libraries, so it is not `purse`.
set(JIAOZI_MAY_USE_keystores base codec crypto)
# How a purse's messages travel: streams, files, QR codes, APDUs. Knows no purse.
set(JIAOZI_MAY_USE_carriers base codec crypto keystores)
# layer 3
set(JIAOZI_MAY_USE_engine base money codec crypto ledger storage)
# Receipts, signed checkpoints, audits: what lets others check the journal. A reader of the engine, never a writer.
set(JIAOZI_MAY_USE_proof base codec crypto ledger storage engine)
set(JIAOZI_MAY_USE_api base money model)
foreach(service IN ITEMS identity groups merchants payments)
  set(JIAOZI_MAY_USE_${service} base money codec crypto model protocol ledger engine registry api)
endforeach()
# The ledger side of offline purses.
set(JIAOZI_MAY_USE_settlement base money codec crypto model protocol ledger engine registry api purse purse_host)
# A device of our own making: the client side of the protocol, for the simulators and the fleet.
set(JIAOZI_MAY_USE_device base money codec crypto model protocol)
# layer 4
# `devices` is the transport-independent half of the device gateway: authenticate, decode, dispatch, answer.
set(JIAOZI_MAY_USE_devices base money codec crypto model protocol api identity)
set(JIAOZI_MAY_USE_http base money codec crypto model purse purse_host protocol ledger engine registry api identity groups merchants payments settlement devices webhooks)
set(JIAOZI_MAY_USE_mqtt base money codec crypto model protocol api devices)
set(JIAOZI_MAY_USE_webhooks base money codec crypto model registry api)
# layer 5
# `client` speaks the HTTP API from outside; `simulators` are machines with faults to order, over real carriers.
set(JIAOZI_MAY_USE_client base money codec crypto model)
# A purse in a folder, with its keystore, its carriers and its issuer's server: what pays and is paid.
set(JIAOZI_MAY_USE_terminal base money codec crypto model protocol purse purse_host keystores carriers client)
set(JIAOZI_MAY_USE_simulators base money codec crypto model protocol api device mqtt client)
# Checkpoints kept elsewhere: published, and read back for the audit.
set(JIAOZI_MAY_USE_anchor base codec crypto proof client)
# What is measured about offline purses: settling, sizes, a town with cheaters. For `jiaozi bench` and tests only.
set(JIAOZI_MAY_USE_purse_bench base money codec crypto model ledger engine registry api purse purse_host settlement)
# Whole-system simulation, in the folder sim/ at the top: for tests and `jiaozi vopr` only.
set(JIAOZI_MAY_USE_sim base codec crypto ledger storage engine proof)
set(JIAOZI_MAY_USE_jiaozi ${JIAOZI_LIBRARIES})
