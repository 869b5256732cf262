#include "listen.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <span>
#include <thread>

#include <boost/json.hpp>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/webhooks/signature.hpp>

namespace jiaozi::cli {
namespace {

// Where events go, signed with a secret that is made for this run and printed, as an endpoint's secret would be.
class Forwarder {
  public:
    static Result<Forwarder> create(const std::string& url) {
        const std::size_t scheme = url.find("://");
        const std::size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
        JZ_TRY(auto client,
               client::HttpClient::create({.base_url = url.substr(0, slash), .key = "", .timeout = seconds(10)}));
        return Forwarder(std::move(client), slash == std::string::npos ? "/" : url.substr(slash),
                         webhooks::new_secret());
    }

    const std::string& secret() const { return secret_; }

    Result<long> forward(const std::string& body) {
        client::Request request{.method = "POST", .path = path_, .body = body, .idempotency_key = "", .headers = {}};
        const std::string signature = webhooks::signature_header(std::span(&secret_, 1), SystemClock().now(), body);
        request.headers.push_back(std::string(webhooks::signature_header_name) + ": " + signature);
        JZ_TRY(const auto answer, client_.send(request));
        return answer.status;
    }

  private:
    Forwarder(client::HttpClient client, std::string path, std::string secret)
        : client_(std::move(client)), path_(std::move(path)), secret_(std::move(secret)) {}

    client::HttpClient client_;
    std::string path_;
    std::string secret_;
};

std::string text_of(const boost::json::value& event, std::string_view name) {
    const auto* object = event.if_object();
    const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void print(const client::StreamEvent& event, bool as_json) {
    if (as_json) {
        std::cout << event.data << std::endl;  // NOLINT(performance-avoid-endl): a pipe's reader waits for it
        return;
    }
    boost::system::error_code failed;
    const boost::json::value parsed = boost::json::parse(event.data, failed);
    if (failed) return;
    std::cout << text_of(parsed, "created") << "  " << event.type << "  " << text_of(parsed, "object_id")
              << std::endl;  // NOLINT
}

Exit fail(const Error& error) {
    std::cerr << "jiaozi: " << error.to_string() << '\n';
    return exit_for(error);
}

Exit run(const ListenOptions& options, const Connection& connection) {
    auto client =
        client::HttpClient::create({.base_url = connection.url, .key = read_key(connection), .timeout = seconds(10)});
    if (!client.ok()) return fail(client.error());
    std::optional<Forwarder> forwarder;
    if (!options.forward_to.empty()) {
        auto made = Forwarder::create(options.forward_to);
        if (!made.ok()) return fail(made.error());
        forwarder = std::move(*made);
        std::cerr << say("signing secret for this run: ", "本次运行的签名密钥：") << forwarder->secret() << '\n';
    }
    const std::string path = "/v1/events/stream" + (options.type.empty() ? "" : "?type=" + options.type);
    std::string last_id;
    for (bool connected_before = false;;) {
        const auto ended = client->follow(path, last_id, [&](const client::StreamEvent& event) {
            connected_before = true;
            print(event, connection.json);
            if (forwarder) {
                const auto status = forwarder->forward(event.data);
                std::cerr << "  -> " << options.forward_to << ": "
                          << (status.ok() ? std::to_string(*status) : status.error().message()) << '\n';
            }
            last_id = event.id;
            return true;
        });
        // The first failure is the person's to mend; later ones are a server that restarts.
        if (!ended.ok() && (!connected_before || ended.error().kind() != ErrorKind::unavailable))
            return fail(ended.error());
        connected_before = true;
        std::cerr << say("connection lost; trying again\n", "连接中断，正在重试\n");
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

}  // namespace

void add_listen_command(CLI::App& root, ListenOptions& options, Connection& connection, Exit& exit) {
    CLI::App* command = root.add_subcommand(
        "listen",
        say("print events as they happen, and forward them as signed webhooks", "实时打印事件，并以签名回调转发"));
    command->add_option("--forward-to", options.forward_to,
                        say("URL that gets each event by POST", "以 POST 接收每个事件的网址"));
    command->add_option("--type", options.type,
                        say("only this type (payment.captured) or family (payment.*)",
                            "仅此类型（payment.captured）或族（payment.*）"));
    add_connection_options(*command, connection);
    command->callback([&] { exit = run(options, connection); });
    command->group(say("Development", "开发"));
}

}  // namespace jiaozi::cli
