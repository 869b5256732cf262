// Which payments there have been, in 8 bytes each: the low 64 bits of their ids. A new payment is held against them, so
// that no SQL stands in its way; a stranger with the same bits costs one look into the archive. They are kept on disk
// behind the engine's snapshots (docs/formats/books.md), and what came after is read from the registry.
//
// Threading: each function works on the calling thread; one keep_known_ids of a directory at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include <boost/unordered/unordered_flat_set.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/books.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::payments {

using KnownIds = boost::unordered_flat_set<std::uint64_t>;

inline constexpr std::string_view ids_service = "payments";
inline constexpr std::uint32_t ids_version = 1;
inline constexpr std::uint32_t ids_part = 33;

// As they stand in the book of payments. Error corrupt; safe on any bytes.
Result<> load_ids(engine::BookSource& source, KnownIds& ids);

// Those that are kept in `directory` (the engine's; empty: none), and those of the registry after them. With none kept
// all are read from the registry, and the log says so. Errors: the registry's.
Result<KnownIds> known_ids(registry::Session& session, const std::filesystem::path& directory);

struct IdsKept {
    std::uint64_t sequence = 0;  // of the engine's newest snapshot; zero: there is none, and nothing was done
    std::uint64_t ids = 0;       // zero: they are kept already
};
// Keeps those of the payments up to the engine's newest snapshot. unavailable: the projection has not come as far (try
// again later), or `cancelled` became true. Errors besides: the registry's, io.
Result<IdsKept> keep_known_ids(registry::Session& session, const std::filesystem::path& directory,
                               const std::atomic<bool>& cancelled);

}  // namespace jiaozi::payments
