// What `jiaozi serve` can be told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/payments/payments.hpp>

namespace jiaozi::serve {

struct ServeOptions {
    std::string data = "data";
    std::string listen = "127.0.0.1";
    std::uint16_t port = 8080;         // 0: any free one
    std::string database;              // empty: SQLite in the data directory
    std::string broker;                // mqtt://[user:password@]host[:port]; empty: start Mosquitto
    std::string broker_file;           // a file with that URL, so that its password stands in no process list
    std::string origin;                // the transparency log's name; empty: made from its key
    std::vector<std::string> anchors;  // where checkpoints are published: files, URLs, contracts' lists
    std::uint32_t anchors_every_s = 3600;
    std::string rpc;                          // the node of contracts that name none
    std::uint16_t broker_port = 1883;         // of the broker we start; 0: any free one
    std::uint32_t heartbeat_s = 30;           // how often devices tell that they are there
    std::uint32_t snapshot_every_mib = 1024;  // of the journal; 0: never by itself
    std::string archive;                      // where the journal is pruned to behind snapshots; empty: it is not
    bool sandbox = false;                     // deposits from nowhere, test clock, simulated devices
    bool demo = false;                        // sandbox, with people, machines and payments in it
    std::string ready_file;                   // written when everything listens: for scripts
    std::string log_level = "info";
    payments::Options payments;
};

}  // namespace jiaozi::serve
