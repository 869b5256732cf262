#include <algorithm>

#include <jiaozi/protocol/errand.hpp>
#include <jiaozi/settlement/errands.hpp>

namespace jiaozi::settlement {
namespace {

using protocol::Errand;
using protocol::ErrandAnswer;
using protocol::ErrandPart;

std::string short_words(const Error& error) {
    return error.to_string().substr(0, protocol::max_name);
}

}  // namespace

// One errand under way. Kept alive by the handler that it waits for.
class Errands::Run : public std::enable_shared_from_this<Errands::Run> {
  public:
    Run(Errands& owner, DeviceId device, Errand errand, api::Done<Bytes> done)
        : settlement_(owner.settlement_),
          alive_(owner.alive_),
          device_(device),
          errand_(std::move(errand)),
          done_(std::move(done)) {}

    void deposit() {
        if (errand_.deposits.empty()) return sync();
        settlement_.settle(std::move(errand_.deposits), errand_.purse,
                           on<std::vector<ItemAnswer>>([](Run& self, std::vector<ItemAnswer> rows) {
                               for (const ItemAnswer& row : rows) {
                                   self.answer_.deposits.emplace_back(name_of(row.reason));
                               }
                               self.sync();
                           }));
    }

  private:
    // Calls `next` with what the service answers; an error ends the errand.
    template <class Value, class Next>
    api::Done<Value> on(Next next) {
        return [self = shared_from_this(), next](Result<Value> result) {
            if (self->alive_.expired()) return;
            if (!result.ok()) return self->done_(std::move(result).error());
            next(*self, std::move(result).value());
        };
    }
    // An error puts this part off, and the errand goes on.
    template <class Value, class Next>
    api::Done<Value> or_later(ErrandPart part, Next next, void (Run::*then)()) {
        return [self = shared_from_this(), part, next, then](Result<Value> result) {
            if (self->alive_.expired()) return;
            if (result.ok()) {
                next(*self, std::move(result).value());
            } else {
                self->answer_.put_off.push_back({part, short_words(result.error())});
            }
            ((*self).*then)();
        };
    }

    void sync() {
        if (!errand_.sync) return list();
        const Errand::Sync& wanted = *errand_.sync;
        settlement_.sync({errand_.purse, wanted.last_seen, wanted.suspect, wanted.highest_seq},
                         on<Bytes>([](Run& self, Bytes acknowledgement) {
                             self.answer_.acknowledgement = std::move(acknowledgement);
                             self.list();
                         }));
    }

    void list() {
        if (errand_.list) {
            auto newest = settlement_.list(*errand_.list);
            // Before the first one there is none.
            if (newest.ok()) answer_.list = shown(std::move(newest).value());
        }
        bring_carried();
    }

    // As little as does: a head alone says whether it is the list that the purse has.
    ErrandAnswer::List shown(ListUpdate newest) const {
        ErrandAnswer::List list{.version = newest.version, .head = {}, .body = {}, .update = {}};
        if (newest.version <= *errand_.list) {
            list.head = std::move(newest.head);
        } else if (!newest.delta.empty() && *errand_.list != 0) {
            list.update = std::move(newest.delta);
        } else {
            list.head = std::move(newest.head);
            list.body = std::move(newest.body);
        }
        return list;
    }

    void bring_carried() {
        if (errand_.carried.empty()) return report_heads();
        settlement_.settle_carried(std::move(errand_.carried), device_.value,
                                   or_later<std::vector<Reason>>(
                                       ErrandPart::carried,
                                       [](Run& self, const std::vector<Reason>& rows) {
                                           for (const Reason row : rows)
                                               self.answer_.carried.emplace_back(name_of(row));
                                       },
                                       &Run::report_heads));
    }

    void report_heads() {
        if (errand_.heads.empty()) return finish();
        settlement_.report_heads(
            std::move(errand_.heads),
            or_later<HeadIs>(
                ErrandPart::heads, [](Run& self, HeadIs is) { self.answer_.two_lists = is == HeadIs::contradiction; },
                &Run::finish));
    }

    void finish() {
        answer_.deposit_key = to_bytes(settlement_.deposit_key());
        done_(protocol::encode(answer_));
    }

    Settlement& settlement_;
    std::weak_ptr<int> alive_;
    DeviceId device_;
    Errand errand_;
    api::Done<Bytes> done_;
    ErrandAnswer answer_;
};

Errands::Errands(Settlement& settlement, const Clock& clock, ErrandLimits limits)
    : settlement_(settlement), clock_(clock), limit_(limits.items_per_s, limits.items_burst) {}

Errands::~Errands() = default;

void Errands::run(DeviceId device, Bytes bytes, api::Done<Bytes> done) {
    auto errand = protocol::decode_errand(bytes);
    if (!errand.ok()) return done(std::move(errand).error());
    const PurseRecord* const purse = settlement_.book().purse(errand->purse);
    if (purse == nullptr || !device || purse->device != device) {
        return done(Error(ErrorKind::not_found, "this device has no purse " + std::to_string(errand->purse))
                        .with_code("purse_not_found"));
    }
    const std::size_t items = errand->deposits.size() + errand->carried.size() + (errand->heads.empty() ? 0 : 1);
    if (!limit_.allow(device, clock_.now(), static_cast<std::uint32_t>(items))) {
        return done(Error(ErrorKind::rate_limited, "this device hands in too much; wait a second"));
    }
    std::make_shared<Run>(*this, device, std::move(errand).value(), std::move(done))->deposit();
}

}  // namespace jiaozi::settlement
