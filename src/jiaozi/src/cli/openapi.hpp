// The parts of an OpenAPI 3.1 document that a command line needs: an operation's parameters and the fields of its body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace jiaozi::cli {

enum class FieldType { text, integer, boolean, text_list, json };
enum class FieldPlace { path, query, body };

struct Field {
    std::string name;  // "payer_wallet", "sim.iccid"
    std::string help;
    FieldPlace place = FieldPlace::body;
    FieldType type = FieldType::text;
    bool required = false;
};

struct Operation {
    std::string id;
    std::string method;  // upper case
    std::string path;    // with {names}
    std::string summary;
    std::string details;
    std::vector<Field> fields;
    bool takes_body = false;
    bool takes_idempotency_key = false;
};

// All operations of the document. The document is ours, so a broken one is a bug.
std::vector<Operation> read_operations(const boost::json::value& document);

}  // namespace jiaozi::cli
