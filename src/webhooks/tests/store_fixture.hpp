// A registry on disk in a temporary folder, and a clock that stands still.
#pragma once

#include <filesystem>
#include <memory>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/registry/registry.hpp>

namespace jiaozi::webhooks::test {

class StoreTest : public ::testing::Test {
  protected:
    StoreTest() {
        char pattern[] = "/tmp/jiaozi-webhooks-XXXXXX";
        folder_ = ::mkdtemp(pattern);
        auto opened =
            registry::Store::open({.url = "sqlite:" + (folder_ / "registry.db").string(), .seal = {}, .open = {}});
        if (!opened.ok()) throw std::runtime_error(opened.error().to_string());
        store_ = std::move(*opened);
        session_ = std::move(*store_->session());
    }
    ~StoreTest() override {
        session_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    Event add_event(const std::string& type) {
        Event event;
        event.id = crypto::new_id<EventId>(clock_);
        event.type = type;
        event.object_id = "pay_00000000000000000000000001";
        event.data = R"({"object":"payment","amount":"350"})";
        event.created = clock_.now();
        EXPECT_TRUE(registry::append_many(*session_, std::span(&event, 1)).ok());
        return event;
    }

    std::filesystem::path folder_;
    TestClock clock_;
    std::unique_ptr<registry::Store> store_;
    std::unique_ptr<registry::Session> session_;
};

}  // namespace jiaozi::webhooks::test
