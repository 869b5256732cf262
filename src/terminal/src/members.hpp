// Reading the small JSON files of a purse's folder: every member is wanted, no other is allowed.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::terminal {

inline constexpr std::size_t longest_text = 4096;

inline Error wrong_member(std::string_view file, std::string_view member) {
    return Error(ErrorKind::malformed,
                 std::string(file) + ": '" + std::string(member) + "' is missing or not as it should be")
        .with_param(member);
}

// Members read one by one; the first that is wrong is remembered.
class Members {
  public:
    Members(std::string_view file, const boost::json::object& object) : file_(file), object_(object) {}

    std::string text(std::string_view name) {
        const boost::json::value* const found = find(name);
        if (found == nullptr || !found->is_string() || found->get_string().size() > longest_text) return fail(name), "";
        return std::string(found->get_string());
    }
    // Of 1 to `highest`.
    std::uint32_t count(std::string_view name, std::uint32_t highest) {
        const auto value = static_cast<std::uint32_t>(number(name, highest));
        if (value == 0) fail(name);
        return value;
    }
    std::uint64_t number(std::string_view name, std::uint64_t highest) {
        const boost::json::value* const found = find(name);
        if (found == nullptr) return fail(name), 0;
        const auto value = boost::json::try_value_to<std::uint64_t>(*found);
        return value.has_value() && *value <= highest ? *value : (fail(name), 0);
    }
    Bytes hex(std::string_view name) {
        auto bytes = from_hex(text(name));
        return bytes.ok() ? std::move(bytes).value() : (fail(name), Bytes{});
    }
    bool truth(std::string_view name) {
        const boost::json::value* const found = find(name);
        return found != nullptr && found->is_bool() ? found->get_bool() : (fail(name), false);
    }
    crypto::Suite suite(std::string_view name) {
        const auto known = crypto::suite_from_number(number(name, 255));
        return known.ok() ? *known : (fail(name), crypto::Suite::ed25519);
    }
    const boost::json::value* find(std::string_view name) {
        seen_.insert(std::string(name));
        return object_.if_contains(name);
    }
    void fail(std::string_view name) {
        if (wrong_.empty()) wrong_ = name;
    }
    Result<void> finish() {
        for (const auto& member : object_) {
            if (!seen_.contains(std::string(member.key()))) fail(member.key());
        }
        if (!wrong_.empty()) return wrong_member(file_, wrong_);
        return {};
    }

  private:
    std::string_view file_;
    const boost::json::object& object_;
    std::set<std::string> seen_;
    std::string wrong_;
};

}  // namespace jiaozi::terminal
