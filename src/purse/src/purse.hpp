// The purse: one object of fixed size, whose state comes from its journal alone. Every change is a record that is
// written, flushed and then applied by the same code that reads the journal back (journal.cpp), so that what is written
// and what is believed cannot differ. The files are its parts:
//
//   journal.cpp   records, opening, the anchor           apply.cpp     what each record means
//   holdings.cpp  free ranges, drawing an amount,        trust.cpp     issuers, blacklist, proofs, peers
//                 provenance                             receive.cpp   which part a message is for
//   payer.cpp     look, pay, resume, receipts, voids     payee.cpp     request, the checks of a PAY, receipts
//   sync.cpp      certificates, SACKs, lists, deposits   delta.cpp     lists from what has changed
//   gossip.cpp    trust data for a peer                  mule.cpp      other people's deposits
//   c_api.cpp     jiaozi_purse.h
#pragma once

#include <jiaozi/purse/blacklist.hpp>
#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/purse/proof.hpp>
#include <jiaozi/purse/seal.hpp>

namespace jiaozi::purse {

inline constexpr std::size_t max_issuers = 4;
inline constexpr std::size_t max_lots = 4;
inline constexpr std::size_t max_held = 16;
inline constexpr std::size_t max_holdings = max_lots + max_held;
inline constexpr std::size_t max_payments = 8;
inline constexpr std::size_t max_requests = 24;
inline constexpr std::size_t max_free = 4;
inline constexpr std::size_t max_guilty = 8;
inline constexpr std::size_t max_peers = 8;
inline constexpr std::size_t max_update = 512;  // HEAD and delta, as they are handed on
inline constexpr std::size_t max_proofs = 2;
inline constexpr std::size_t max_digests = 8;
inline constexpr std::size_t max_carried = 48;
inline constexpr std::size_t record_head = 24;
inline constexpr std::size_t record_body = JZ_RECORD_BYTES - record_head - 32;
inline constexpr std::uint32_t settle_margin_s = 3'600;
inline constexpr std::uint32_t list_fresh_s = 604'800;
inline constexpr unsigned max_wrong_pins = 5;
inline constexpr std::uint8_t hardware_counter = 2;  // class A2
inline constexpr std::uint32_t steps_of_open = 2;

enum class Kind : std::uint16_t {
    start = 1,
    lot = 2,
    request = 3,
    note = 4,
    done = 5,
    void_held = 6,
    credit = 7,
    void_request = 8,
    time = 9,
    sync = 10,
    state = 11,
    list = 12,
    pin = 13,
    proof = 14,
    opened = 15,
    adopted = 16,
    alarm = 17
};

struct Range {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t size() const noexcept { return to - from; }
};

// A lot, or a received note: something that can be spent from.
struct Holding {
    bool used = false;
    bool lot = false;
    bool settle_only = false;  // a claim on the ledger, nothing to spend
    bool checked = true;       // its bundle is what the journal says
    std::uint8_t slot = 0;     // of a received note
    std::uint8_t hop = 0;
    std::uint8_t hops = 0;
    std::uint8_t pieces = 0;
    std::uint16_t bundle_size = 0;
    std::uint32_t not_before = 0;
    std::uint32_t expires = 0;
    std::uint32_t directed = 0;
    std::uint32_t receipt_seq = 0;
    std::uint64_t total = 0;
    std::uint64_t record = 0;  // where its LC or receipt is in the journal
    Id id{};
    Id bundle_hash{};
    std::array<Range, max_free> free{};

    std::uint64_t free_amount() const noexcept;
    bool cut(Range range) noexcept;  // false when it was not free
};

enum class PaymentState : std::uint8_t { none, sent, void_held, done };

struct Payment {
    PaymentState state = PaymentState::none;
    std::uint8_t payee_class = 0;
    Suite payee_suite = Suite::ed25519;
    bool has_answer_key = false;
    std::uint8_t proofs = 0;  // of the peer's that were verified; not journalled
    std::uint32_t payee = 0;
    std::uint32_t seq = 0;
    std::uint32_t holdings = 0;  // a bit for each that it draws on
    std::uint64_t amount = 0;
    std::uint64_t record = 0;
    PublicKey payee_key;
    Nonce nonce{};
    Id note{};
    Id request{};
    Fixed<32> ephemeral{};
    SealKey answer_key;  // opens the RECEIPT to the last PAY or RESUME; not journalled
};

enum class RequestState : std::uint8_t { none, open, credited, voided };

struct Incoming {
    RequestState state = RequestState::none;
    std::uint8_t proofs = 0;  // of the peer's that were verified; not journalled
    std::uint32_t seq = 0;    // of the receipt or the void
    std::uint64_t amount = 0;
    std::uint64_t request_record = 0;
    std::uint64_t answer_record = 0;
    Nonce nonce{};
    Id request{};
    Id note{};
    Fixed<32> secret{};
    Fixed<32> ephemeral{};
};

// A peer's certificate that was verified, so that it need not travel again.
struct Peer {
    std::uint32_t purse = 0;
    Id id{};
    Buffer<max_certificate> bytes;
};

// A certificate of ours that a peer was given.
struct Given {
    std::uint32_t peer = 0;
    Id lot{};
};

struct Draw {
    std::array<Source, max_sources> source{};
    std::uint8_t sources = 0;
    std::uint8_t hop = 0;
    std::uint32_t holdings = 0;
};

struct List {
    std::uint8_t slot = 0;
    std::uint32_t size = 0;
    std::uint64_t record = 0;
    ListHead head;
};

// payer 4 ‖ seq 4 ‖ the first 12 bytes of the note's id.
using Digest = Fixed<JZ_DIGEST_BYTES>;

// A sealed deposit that this purse carries for somebody; its bytes are in a mule slot.
struct Load {
    std::uint16_t size = 0;
    Fixed<8> name{};  // the first bytes of its enc, which is fresh for each
};

// A REQUEST that was read and verified.
struct Demand {
    Request request;
    Object object;
    Id id{};
    Certificate payee;
    Object certificate;  // without bytes when it was known already
    bool known = false;
};

class Purse {
  public:
    explicit Purse(const jz_platform& platform) noexcept : platform_(platform) {}
    ~Purse();
    Purse(const Purse&) = delete;
    Purse& operator=(const Purse&) = delete;

    // journal.cpp
    jz_status create(const jz_identity& identity) noexcept;
    jz_status open() noexcept;
    jz_status evidence(std::uint64_t index, unsigned& kind, Span out, std::size_t& size) noexcept;
    jz_status adopt(View object) noexcept;

    // sync.cpp
    jz_status trust(std::span<const jz_issuer_key> keys) noexcept;
    jz_status load(View certificate) noexcept;
    jz_status sync(View acknowledgement) noexcept;
    jz_status install_list(View head, View body) noexcept;
    jz_status update_list(View head_and_delta) noexcept;
    jz_status deposit(unsigned index, Span out, std::size_t& size) noexcept;
    jz_status declare_lost() noexcept;
    jz_status learn_proof(View proof) noexcept;
    void info(jz_info& out) const noexcept;
    View last_proof() const noexcept { return proof_[newest_proof_].view(); }
    void trust_info(jz_trust_info& out) const noexcept;

    // gossip.cpp
    jz_status gossip(Span out, std::size_t& size) noexcept;
    jz_status contradiction(unsigned index, Span out, std::size_t& size) noexcept;
    jz_status alarm(Span out, std::size_t& size) noexcept;

    // mule.cpp
    jz_status mule(unsigned index, const Fixed<32>& deposit_key, Span out, std::size_t& size) noexcept;
    jz_status carried(unsigned index, Span out, std::size_t& size) noexcept;
    jz_status unload() noexcept;

    // payee.cpp
    jz_status request(std::uint64_t amount, const Fixed<8>& invoice, bool with_certificate, Nonce& nonce, Span out,
                      std::size_t& size) noexcept;
    jz_status void_request(const Nonce& nonce, Span out, std::size_t& size) noexcept;

    // payer.cpp
    jz_status look(View message, jz_offer& offer) noexcept;
    jz_status pay(View message, bool cvm, Span out, std::size_t& size) noexcept;
    jz_status resume(unsigned index, Span out, std::size_t& size) noexcept;
    jz_status pay_again(unsigned index, Span out, std::size_t& size) noexcept;
    jz_status cancel(unsigned index, Span out, std::size_t& size) noexcept;
    jz_status wrong_pin() noexcept;

    // receive.cpp
    jz_status receive(View message, Span out, std::size_t& size) noexcept;

  private:
    // receive.cpp
    jz_status on_status(View body, Span out, std::size_t& size) noexcept;

    // sync.cpp
    jz_status mark_blacklisted() noexcept;

    // gossip.cpp
    template <class Visit>
    jz_status each_digest(Visit visit) noexcept;
    jz_status read_list_head(const List& list, Span record, View& head) noexcept;
    jz_status write_update(std::uint32_t heard, Buffer<max_update>& out) noexcept;
    jz_status write_gossip(std::uint32_t heard, View& written) noexcept;
    jz_status send_gossip(const Nonce& nonce, const Id& request, const Fixed<32>& to, std::uint32_t heard,
                          Fixed<32>& secret, Span out, std::size_t& size) noexcept;
    jz_status on_gossip(View message, Span out, std::size_t& size) noexcept;
    jz_status take_gossip(View body, std::uint8_t& looked_at, std::uint32_t& heard) noexcept;
    jz_status take_update(View update) noexcept;
    jz_status take_proofs(View& rest, std::size_t count, std::uint8_t& looked_at) noexcept;
    jz_status take_digests(std::span<const Digest> heard) noexcept;
    jz_status compare_heads(View bytes) noexcept;
    void remember_contradiction(const Digest& digest) noexcept;

    // delta.cpp
    std::size_t write_delta(const List& from, Span out) noexcept;  // 0: there is no room

    // mule.cpp
    jz_status on_mule(View body) noexcept;
    void find_carried() noexcept;

    // journal.cpp
    jz_status commit(Kind kind, View body) noexcept;
    jz_status commit_signed(Kind kind, View body) noexcept;  // and the anchor
    jz_status read_record(std::uint64_t index, Span record, Kind& kind, View& body) noexcept;
    jz_status apply(Kind kind, View body) noexcept;  // apply.cpp, as those below
    jz_status apply_start(View body) noexcept;
    jz_status apply_lot(View body) noexcept;
    jz_status apply_request(View body) noexcept;
    jz_status apply_note(View body) noexcept;
    jz_status apply_answer(Kind kind, View body) noexcept;
    jz_status apply_credit(View body) noexcept;
    jz_status apply_void(View body) noexcept;
    jz_status apply_sync(View body) noexcept;
    jz_status apply_list(View body) noexcept;
    jz_status apply_adopted(View body) noexcept;
    jz_status apply_alarm(View body) noexcept;
    jz_status check_anchor() noexcept;
    jz_status check_counted(std::uint32_t counter) noexcept;  // A2
    bool counted() const noexcept { return assurance_ == hardware_counter; }
    jz_status check_bundles() noexcept;
    jz_status learn_time(std::uint32_t time) noexcept;
    void forget_through(std::uint32_t seq) noexcept;

    // holdings.cpp
    std::uint32_t now() const noexcept;
    bool in_time(std::uint32_t expires) const noexcept;
    bool spendable(const Holding& holding, std::uint32_t payee) const noexcept;
    Holding* find_holding(const Id& id) noexcept;
    bool in_use(std::size_t holding) const noexcept;  // by a payment whose outcome is open
    Holding* room_for_lot() noexcept;
    const Holding* own_certificate() const noexcept;
    jz_status read_certificate(const Holding& lot, Span record, Object& object, Certificate& value) noexcept;
    std::uint64_t balance() const noexcept;
    bool draw(std::uint64_t amount, std::uint32_t payee, int strategy, Draw& out) const noexcept;
    jz_status provenance(std::span<const Source> sources, std::uint32_t leave_out_for, Buffer<max_bundle>& out,
                         std::size_t& notes) noexcept;
    jz_status add_held(const Holding& held, Buffer<max_bundle>& out, std::size_t& notes,
                       std::size_t& certificates) noexcept;

    // trust.cpp
    jz_status active() const noexcept;
    jz_status issuer_of(const Certificate& certificate, Suite suite, const IssuerKey*& issuer) const noexcept;
    jz_status standing(std::uint32_t purse) noexcept;  // blacklist and proofs
    bool known_guilty(std::uint32_t purse) const noexcept;
    void keep_proof(View bytes) noexcept;
    bool list_stale() const noexcept;
    const Peer* find_peer(std::uint32_t purse, const Id* id) const noexcept;
    void remember_peer(std::uint32_t purse, const Id& id, View bytes) noexcept;

    // payer.cpp
    jz_status read_demand(View message, Demand& demand) noexcept;
    jz_status check_demand(const Demand& demand) noexcept;
    jz_status check_limits(const Demand& demand, bool cvm) noexcept;
    jz_status plan(const Demand& demand, Draw& out) noexcept;
    jz_status send_note(Payment& payment, bool everything, Span out, std::size_t& size) noexcept;
    jz_status on_receipt(View body) noexcept;
    jz_status on_voided(View body) noexcept;
    Payment* unknown_payment(unsigned index) noexcept;
    Payment* room_for_payment() noexcept;

    // payee.cpp
    Incoming* find_request(View nonce) noexcept;
    Incoming* room_for_request() noexcept;
    jz_status on_pay(View body, Span out, std::size_t& size) noexcept;
    jz_status on_resume(View body, Span out, std::size_t& size) noexcept;
    jz_status on_cancel(View body, Span out, std::size_t& size) noexcept;
    jz_status open_bundle(Incoming& request, View body, SealKeys& keys) noexcept;
    jz_status check_note(const Incoming& request) noexcept;
    jz_status check_terms(const Incoming& request) noexcept;
    jz_status check_trust() noexcept;
    jz_status check_conflicts(bool& found) noexcept;
    jz_status credit(Incoming& request, SealKeys& keys, Span out, std::size_t& size) noexcept;
    jz_status send_receipt(const Incoming& request, const SealKey& key, Span out, std::size_t& size) noexcept;
    jz_status send_voided(const Incoming& request, Span out, std::size_t& size) noexcept;
    jz_status send_request(const Incoming& request, bool with_certificate, Span out, std::size_t& size) noexcept;
    jz_status file_proof(const Entry<Note>& left, const Entry<Note>& right, const Bundle& certificates) noexcept;
    jz_status remember_guilty(std::uint32_t purse, const Id& left, const Id& right) noexcept;

    jz_platform platform_;

    // Who this is.
    std::uint32_t purse_ = 0;
    Suite suite_ = Suite::ed25519;
    std::uint8_t assurance_ = 0;
    PublicKey key_;
    Fixed<16> anchor_{};

    // What the journal says.
    std::uint64_t records_ = 0;
    Id checksum_{};
    Kind last_kind_ = Kind::start;
    std::uint32_t mark_ = 0;       // A2: where the counter stands once the last record is in force
    bool opening_failed_ = false;  // A2: the last record is an `opened` that was not confirmed
    jz_state state_ = JZ_ACTIVE;
    bool journal_suspect_ = false;
    bool halted_ = false;
    bool replaying_ = false;
    std::uint32_t seq_ = 0;
    Id previous_{};
    std::uint32_t sync_ = 0;
    std::uint32_t t_low_ = 0;
    std::uint32_t notes_since_sync_ = 0;
    std::uint64_t paid_without_cvm_ = 0;
    std::uint8_t wrong_pins_ = 0;
    std::uint64_t last_serial_ = 0;
    Asset asset_;
    List list_;
    List previous_list_;              // its body is in the other slot, for deltas
    std::uint64_t alarm_record_ = 0;  // another list with a version of ours; 0: none was seen
    std::uint64_t alarm_list_record_ = 0;
    std::array<Holding, max_holdings> holding_{};
    std::array<Payment, max_payments> payment_{};
    std::array<Incoming, max_requests> incoming_{};
    std::array<std::uint32_t, max_guilty> guilty_{};
    std::size_t guilty_count_ = 0;

    // What may be forgotten.
    std::array<IssuerKey, max_issuers> issuer_{};
    std::size_t issuers_ = 0;
    std::array<Peer, max_peers> peer_{};
    std::size_t next_peer_ = 0;
    std::array<Given, max_peers> given_{};
    std::size_t next_given_ = 0;
    bool asked_last_ = false;  // this purse's last message was a REQUEST
    Nonce last_request_{};
    Id last_note_{};
    std::uint32_t heard_list_ = 0;  // the payee's version, of the last REQUEST that was paid
    Nonce gossip_nonce_{};
    Fixed<32> gossip_secret_{};  // opens the answer to our last GOSSIP
    std::array<Buffer<JZ_PROOF_BYTES>, max_proofs> proof_;
    std::size_t newest_proof_ = 0;
    std::array<Digest, max_digests> contradiction_{};
    std::size_t contradictions_ = 0;
    std::array<Load, max_carried> carried_{};

    // Room to work in; nothing lives here between calls.
    Bundle bundle_;
    Buffer<max_bundle> work_;
    Buffer<max_bundle> kept_;
};

static_assert(sizeof(Purse) <= JZ_PURSE_BYTES, "JZ_PURSE_BYTES in jiaozi_purse.h is part of the interface");
static_assert(alignof(Purse) <= JZ_PURSE_ALIGN);

}  // namespace jiaozi::purse
