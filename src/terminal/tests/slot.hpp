// A machine's slot for purses without a network between: the payer's end of a socket pair for each that comes, served
// by the machine's thread.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <jiaozi/carriers/link.hpp>

#include "world.hpp"

namespace jiaozi::terminal {

struct Ends {
    Ends() {
        int pair[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        payer = carriers::link_over(pair[0]);
        payee = carriers::link_over(pair[1]);
    }
    std::unique_ptr<carriers::Link> payer;
    std::unique_ptr<carriers::Link> payee;
};

struct Folder {
    Folder() : path((std::filesystem::temp_directory_path() / "jiaozi-shop-XXXXXX").string()) {
        EXPECT_NE(::mkdtemp(path.data()), nullptr);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path operator/(const char* name) const { return std::filesystem::path(path) / name; }
    std::string path;
};

}  // namespace jiaozi::terminal
