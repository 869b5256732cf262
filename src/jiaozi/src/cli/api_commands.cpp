#include "api_commands.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>

#include <boost/json.hpp>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/client/http_client.hpp>

#include "openapi.hpp"

namespace jiaozi::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t max_input_bytes = std::size_t{64} * 1024;  // what the server takes

// A field whose name every command has for itself already gets another: an endpoint's url is not the server's.
std::string option_name(std::string name) {
    if (name == "url") return "--endpoint-url";
    std::ranges::replace(name, '_', '-');
    return "--" + name;
}

std::string percent_encode(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                           (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.' || byte == '~';
        if (plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4];
            encoded += digits[byte & 15];
        }
    }
    return encoded;
}

// "-" is standard input and "@name" a file, as in curl; anything else is the text itself.
Result<std::string> read_argument(const std::string& value) {
    std::string text;
    if (value == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else if (value.starts_with('@')) {
        std::ifstream file(value.substr(1), std::ios::binary);
        if (!file) return Error(ErrorKind::not_found, "cannot read the file " + value.substr(1));
        text.assign(std::istreambuf_iterator<char>(file), {});
    } else {
        text = value;
    }
    if (text.size() > max_input_bytes) return Error(ErrorKind::too_large, "a request body is at most 64 KiB");
    return text;
}

// One verb as it was typed.
struct Invocation {
    Operation operation;
    std::map<std::string, std::vector<std::string>> values;  // by field name
    std::string data;
    std::string idempotency_key;
};

Result<json::value> to_json(const Field& field, const std::vector<std::string>& values) {
    boost::system::error_code failed;
    switch (field.type) {
        case FieldType::text:
            return json::value(values.front());
        case FieldType::boolean:
            return json::value(values.front() == "true" || values.front() == "1");
        case FieldType::integer: {
            json::value number = json::parse(values.front(), failed);
            if (failed || !number.is_number())
                return Error(ErrorKind::invalid, "is not a whole number").with_param(field.name);
            return number;
        }
        case FieldType::text_list: {
            json::array list;
            for (const std::string& value : values) list.emplace_back(value);
            return json::value(std::move(list));
        }
        case FieldType::json: {
            JZ_TRY(const std::string text, read_argument(values.front()));
            json::value parsed = json::parse(text, failed);
            if (failed) return Error(ErrorKind::invalid, "is not JSON").with_param(field.name);
            return parsed;
        }
    }
    return Error(ErrorKind::internal, "a field type without a rule");
}

Result<std::string> body_of(const Invocation& invocation) {
    if (!invocation.data.empty()) return read_argument(invocation.data);
    json::object body;
    for (const Field& field : invocation.operation.fields) {
        const auto found = invocation.values.find(field.name);
        if (field.place != FieldPlace::body || found == invocation.values.end() || found->second.empty()) continue;
        JZ_TRY(json::value value, to_json(field, found->second));
        if (const std::size_t dot = field.name.find('.'); dot != std::string::npos) {
            json::value& inner = body[field.name.substr(0, dot)];
            if (!inner.is_object()) inner.emplace_object();
            inner.get_object()[field.name.substr(dot + 1)] = std::move(value);
        } else {
            body[field.name] = std::move(value);
        }
    }
    return json::serialize(body);
}

Result<client::Request> request_of(const Invocation& invocation) {
    client::Request request;
    request.method = invocation.operation.method;
    request.path = invocation.operation.path;
    char separator = '?';
    for (const Field& field : invocation.operation.fields) {
        const auto found = invocation.values.find(field.name);
        if (found == invocation.values.end() || found->second.empty()) continue;
        const std::string value = percent_encode(found->second.front());
        if (field.place == FieldPlace::path) {
            const std::string placeholder = "{" + field.name + "}";
            request.path.replace(request.path.find(placeholder), placeholder.size(), value);
        } else if (field.place == FieldPlace::query) {
            request.path += separator + field.name + "=" + value;
            separator = '&';
        }
    }
    if (invocation.operation.takes_body) {
        JZ_TRY(request.body, body_of(invocation));
    }
    request.idempotency_key = invocation.idempotency_key;
    return request;
}

void print_problem(const client::Response& response, bool as_json) {
    if (as_json) {
        std::cout << response.body << '\n';
        return;
    }
    boost::system::error_code failed;
    const json::value problem = json::parse(response.body, failed);
    if (failed || !problem.is_object()) {
        std::cerr << "jiaozi: HTTP " << response.status << ": " << response.body << '\n';
        return;
    }
    const auto text = [&](std::string_view name) {
        const auto* value = problem.get_object().if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const std::string param = text("param");
    std::cerr << "jiaozi: " << text("code") << (param.empty() ? "" : " (" + param + ")") << ": " << text("detail")
              << '\n';
}

Exit print_answer(const client::Response& response, bool as_json) {
    if (response.status >= 300) {
        boost::system::error_code failed;
        const json::value problem = json::parse(response.body, failed);
        const auto* code = !failed && problem.is_object() ? problem.get_object().if_contains("code") : nullptr;
        print_problem(response, as_json);
        return exit_for_status(response.status, code != nullptr && code->is_string()
                                                    ? std::string_view(code->get_string())
                                                    : std::string_view());
    }
    boost::system::error_code failed;
    const json::value answer = json::parse(response.body, failed);
    if (as_json || failed) {
        std::cout << response.body << (response.body.ends_with('\n') ? "" : "\n");
    } else {
        std::cout << render(answer);
    }
    if (response.replayed)
        std::cerr << say("(replayed: this idempotency key was answered before)\n", "（重放：此幂等键此前已有答复）\n");
    return Exit::ok;
}

Exit fail(const Error& error) {
    std::cerr << "jiaozi: " << error.to_string() << '\n';
    return exit_for(error);
}

Exit run(const Invocation& invocation, const Connection& connection) {
    auto request = request_of(invocation);
    if (!request.ok()) return fail(request.error());
    auto client =
        client::HttpClient::create({.base_url = connection.url, .key = read_key(connection), .timeout = seconds(60)});
    if (!client.ok()) return fail(client.error());
    const auto response = client->send(*request);
    if (!response.ok()) return fail(response.error());
    return print_answer(*response, connection.json);
}

void add_field(CLI::App& verb, const Field& field, std::vector<std::string>& values) {
    if (field.place == FieldPlace::path) {
        verb.add_option(field.name, values, field.help)->required()->expected(1);
        return;
    }
    CLI::Option* option = verb.add_option(option_name(field.name), values, field.help);
    if (field.type == FieldType::text_list) {
        option->type_name("TEXT ...")->delimiter(',');
    } else {
        option->expected(1)->type_name(field.type == FieldType::integer   ? "NUMBER"
                                       : field.type == FieldType::boolean ? "true|false"
                                       : field.type == FieldType::json    ? "JSON|@FILE|-"
                                                                          : "TEXT");
    }
    // With --data the body is given whole, so only query parameters can be required.
    if (field.required && field.place == FieldPlace::query) option->required();
    if (field.required && field.place == FieldPlace::body)
        option->description(field.help + say(" (required)", "（必填）"));
}

struct NounText {
    std::string_view noun;
    const char* en;
    const char* zh;
};
constexpr NounText noun_texts[] = {
    {"service", "the program itself: health, metrics, today", "程序本身：健康、指标、今日一览"},
    {"people", "people who own, join and pay", "人员"},
    {"groups", "wallet groups: family, car, fleet, home, shop", "钱包群：家庭、汽车、车队、住宅、商店"},
    {"members", "who is in a group", "钱包群成员"},
    {"wallets", "balances, deposits, statements", "余额、充值、流水"},
    {"limits", "what a member may spend", "成员限额"},
    {"merchants", "who sells", "商户"},
    {"products", "what is sold", "商品"},
    {"devices", "machines: enrolment, state, slots", "设备：注册、状态、货道"},
    {"payments", "pay, cancel, refund", "付款、取消、退款"},
    {"purses", "offline purses at the server: enrolment, loads, loss, trust data",
     "服务端的离线钱袋：登记、充值、报失、信任数据"},
    {"events", "what happened", "事件"},
    {"webhooks", "events delivered to a URL", "事件回调"},
    {"keys", "API keys and their scopes", "API 密钥"},
    {"sandbox", "test clock and simulated devices", "沙盒：测试时钟与模拟设备"},
};

}  // namespace

void add_server_options(CLI::App& command, Connection& connection, const std::string& group) {
    CLI::Option* const url = command.add_option("--url", connection.url, say("where the server is", "服务地址"))
                                 ->envname("JIAOZI_URL")
                                 ->default_val("http://127.0.0.1:8080");
    CLI::Option* const key = command
                                 .add_option("--key-file", connection.key_file,
                                             say("file with the API key; or put the key into JIAOZI_API_KEY",
                                                 "API 密钥文件；也可设环境变量 JIAOZI_API_KEY"))
                                 ->envname("JIAOZI_KEY_FILE")
                                 ->default_val("data/operator.key");
    if (group.empty()) return;
    url->group(group);
    key->group(group);
}

void add_connection_options(CLI::App& command, Connection& connection) {
    add_server_options(command, connection);
    command.add_flag("--json", connection.json, say("print the answer as JSON", "以 JSON 输出"));
}

std::string read_key(const Connection& connection) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
    if (const char* key = std::getenv("JIAOZI_API_KEY"); key != nullptr && *key != '\0') return key;
    std::ifstream file(connection.key_file);
    std::string key;
    std::getline(file, key);
    return key;
}

void add_api_commands(CLI::App& root, std::string_view openapi_json, Connection& connection, Exit& exit) {
    boost::system::error_code failed;
    const json::value document = json::parse(openapi_json, failed);
    if (failed) return;  // a program built without the document has no API commands; a test holds that ours has
    const std::vector<Operation> operations = read_operations(document);
    std::map<std::string_view, CLI::App*> nouns;
    for (const CommandRow& row : command_rows()) {
        const auto operation = std::ranges::find(operations, row.operation, &Operation::id);
        if (operation == operations.end()) continue;
        CLI::App*& noun = nouns[row.noun];
        if (noun == nullptr) {
            const auto* text = std::ranges::find(noun_texts, row.noun, &NounText::noun);
            JZ_ASSERT(text != std::ranges::end(noun_texts));
            noun = root.add_subcommand(std::string(row.noun), say(text->en, text->zh));
            noun->require_subcommand(1);
            noun->group(say("The API", "接口"));
        }
        const std::string summary = chinese() ? std::string(row.zh) : operation->summary;
        CLI::App* verb = noun->add_subcommand(std::string(row.verb), summary);
        if (!operation->details.empty()) verb->footer(operation->details);
        auto invocation = std::make_shared<Invocation>();
        invocation->operation = *operation;
        for (const Field& field : operation->fields) add_field(*verb, field, invocation->values[field.name]);
        if (operation->takes_body) {
            verb->add_option("--data", invocation->data,
                             say("the whole body as JSON, @FILE or - for standard input",
                                 "整个请求体：JSON、@文件，或 - 表示标准输入"));
        }
        if (operation->takes_idempotency_key) {
            verb->add_option(
                "--idempotency-key", invocation->idempotency_key,
                say("repeat a command with the same key and it has effect once", "以同一幂等键重复执行只生效一次"));
        }
        add_connection_options(*verb, connection);
        verb->callback([invocation, &connection, &exit] { exit = run(*invocation, connection); });
    }
}

}  // namespace jiaozi::cli
