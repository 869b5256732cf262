// A purse's errand and its answer: what is written is read again, and nothing else is believed.
#include <gtest/gtest.h>

#include "samples.hpp"

namespace jiaozi::protocol {
namespace {

using samples::counting;

Errand full_errand() {
    return {.purse = 7,
            .deposits = {counting(1, 300), counting(2, 4)},
            .sync = Errand::Sync{3, true, 12},
            .list = 5,
            .carried = {counting(8, 100)},
            .heads = counting(9, 200)};
}

ErrandAnswer full_answer() {
    return {.deposits = {"ok", "too_late"},
            .acknowledgement = counting(1, 140),
            .list = ErrandAnswer::List{6, counting(3, 130), counting(4, 50), {}},
            .carried = {"unreadable"},
            .two_lists = true,
            .deposit_key = counting(5, 32),
            .put_off = {{ErrandPart::heads, "not signed by this issuer"}}};
}

TEST(Errand, WhatIsWrittenIsReadAgain) {
    for (const Errand& errand :
         {full_errand(), Errand{.purse = 1, .deposits = {}, .sync = {}, .list = {}, .carried = {}, .heads = {}}}) {
        EXPECT_EQ(decode_errand(encode(errand)).value(), errand);
    }
    for (const ErrandAnswer& answer : {full_answer(), ErrandAnswer{}}) {
        EXPECT_EQ(decode_errand_answer(encode(answer)).value(), answer);
    }
}

TEST(Errand, BeyondItsLimitsItIsRefused) {
    Errand many = full_errand();
    many.deposits.assign(Errand::max_deposits + 1, counting(1, 4));
    Errand laden = full_errand();
    laden.carried.assign(Errand::max_carried + 1, counting(1, 4));
    Errand large = full_errand();
    large.deposits = {Bytes(Errand::max_item + 1)};
    Errand nobodys = full_errand();
    nobodys.purse = 0;
    Errand empty_item = full_errand();
    empty_item.carried = {Bytes()};
    for (const Errand& errand : {many, laden, large, nobodys, empty_item}) {
        EXPECT_EQ(decode_errand(encode(errand)).error().kind(), ErrorKind::malformed);
    }
    Errand heavy = full_errand();
    heavy.deposits.assign(40, Bytes(Errand::max_item));
    EXPECT_EQ(decode_errand(encode(heavy)).error().kind(), ErrorKind::too_large);
    ErrandAnswer wordy = full_answer();
    wordy.deposits = {std::string(max_name + 1, 'x')};
    EXPECT_EQ(decode_errand_answer(encode(wordy)).error().kind(), ErrorKind::malformed);
}

TEST(Errand, CutAnywhereOrWithAByteMoreItIsRefused) {
    const Bytes errand = encode(full_errand());
    const Bytes answer = encode(full_answer());
    for (std::size_t cut = 0; cut < errand.size(); ++cut) EXPECT_FALSE(decode_errand(ByteView(errand).first(cut)).ok());
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
        EXPECT_FALSE(decode_errand_answer(ByteView(answer).first(cut)).ok());
    }
    Bytes more = errand;
    more.push_back(0);
    EXPECT_FALSE(decode_errand(more).ok());
}

}  // namespace
}  // namespace jiaozi::protocol
