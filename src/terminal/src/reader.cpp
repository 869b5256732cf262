#include <jiaozi/terminal/purse_folder.hpp>
#include <jiaozi/terminal/reader.hpp>

namespace jiaozi::terminal {
namespace {

constexpr std::uint8_t status_verb = 0x0F;
constexpr int longest_conversation = 8;  // request, certificates missing on both sides, receipt

}  // namespace

Result<Outcome> take_from_card(Payee& payee, carriers::ApduReader& reader) {
    JZ_CHECK(reader.select());
    Bytes message = payee.request();
    for (int i = 0; i < longest_conversation && !message.empty(); ++i) {
        JZ_TRY(const Bytes answer, reader.exchange(message));
        if (answer.empty()) break;
        message = payee.answer(answer);
        if (message.empty() && answer.size() == 2 && answer[0] == status_verb) {
            return error_of(static_cast<jz_status>(answer[1]), "the purse on the reader refuses");
        }
    }
    return payee.outcome();
}

std::unique_ptr<carriers::ApduCard> as_card(Payer& payer) {
    return std::make_unique<carriers::ApduCard>(
        [&payer](ByteView message) -> std::optional<Bytes> { return payer.answer(message); });
}

}  // namespace jiaozi::terminal
