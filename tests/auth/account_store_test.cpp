#include "auth/account_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "auth/auth_config.hpp"
#include "auth/secret.hpp"
#include "support/folder.hpp"

namespace parley::auth {
namespace {

using parley::test::Folder;
using namespace std::chrono_literals;

constexpr core::WallTime start{std::chrono::hours(480'000)};

struct StoreFixture {
    Folder folder;
    std::string path = folder.file("accounts.db");
    AccountStore store{path};
};

TEST(AccountStore, KeepsAccountsOverARestart) {
    StoreFixture f;
    const auto added = f.store.add_account("Ann", "hash", start);
    ASSERT_TRUE(added);
    EXPECT_EQ(added->id.size(), 12u);
    EXPECT_FALSE(f.store.add_account("ANN", "other", start)) << "in whatever case";
    AccountStore again(f.path);
    const auto found = again.find_account("ann");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, added->id);
    EXPECT_EQ(found->name, "Ann");
    EXPECT_EQ(found->hash, "hash");
    EXPECT_EQ(again.account_of(added->id)->row, added->row);
    std::vector<std::string> names;
    again.each_name([&](const std::string& name) { names.push_back(name); });
    EXPECT_EQ(names, (std::vector<std::string>{"Ann"}));
}

TEST(AccountStore, KeepsOfATokenItsHashAlone) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "hash", start);
    const std::string token = make_token("ps_");
    EXPECT_TRUE(f.store.add_session(ann.row, id_of_token(token), start, start + 1h).empty());
    for (const char* end : {"", "-wal"}) {
        std::ifstream file(f.path + end, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        EXPECT_EQ(bytes.find(token), std::string::npos);
        EXPECT_EQ(bytes.find(token.substr(3)), std::string::npos);
    }
    struct stat status {};
    ASSERT_EQ(::stat(f.path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << "its owner's alone";
}

TEST(AccountStore, ATokenIsGoodUntilItExpiresOrIsRemoved) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "hash", start);
    const auto token = id_of_token("a");
    EXPECT_TRUE(f.store.add_session(ann.row, token, start, start + 1h).empty());
    const auto found = f.store.find_token(token, start + 59min);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->account.id, ann.id);
    EXPECT_EQ(found->grant.kind, core::Grant::Kind::session);
    EXPECT_EQ(found->grant.expires, start + 1h);
    EXPECT_FALSE(f.store.find_token(token, start + 1h));
    EXPECT_FALSE(f.store.find_token(id_of_token("b"), start));
    EXPECT_TRUE(f.store.remove_token(token));
    EXPECT_FALSE(f.store.find_token(token, start));
    EXPECT_FALSE(f.store.remove_token(token));
}

TEST(AccountStore, EndsTheSessionThatWasUsedLeastRecentlyWhereThereAreTooMany) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "hash", start);
    for (std::size_t i = 0; i < sessions_per_account_max; ++i) {
        const auto ended = f.store.add_session(ann.row, id_of_token(std::to_string(i)),
                                               start + std::chrono::seconds(i), start + 24h);
        EXPECT_TRUE(ended.empty());
    }
    f.store.note_use(id_of_token("0"), start + 1h);
    const auto ended = f.store.add_session(ann.row, id_of_token("new"), start + 2h, start + 24h);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0], id_of_token("1"));
    EXPECT_TRUE(f.store.find_token(id_of_token("0"), start));
    EXPECT_FALSE(f.store.find_token(id_of_token("1"), start));
}

TEST(AccountStore, AChangedPasswordEndsTheOtherSessionsAndNotThoseOfOthers) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "old", start);
    const auto bob = *f.store.add_account("Bob", "hash", start);
    for (const char* token : {"a", "b", "c"}) {
        EXPECT_TRUE(f.store.add_session(ann.row, id_of_token(token), start, start + 1h).empty());
    }
    EXPECT_TRUE(f.store.add_session(bob.row, id_of_token("d"), start, start + 1h).empty());
    const auto ended = f.store.change_password(ann, "new", id_of_token("b"));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->size(), 2u);
    EXPECT_FALSE(f.store.change_password(ann, "newer", id_of_token("b")))
        << "it is not the old one's any more";
    EXPECT_FALSE(f.store.replace_hash(ann, "newer"));
    EXPECT_EQ(f.store.find_account("ann")->hash, "new");
    EXPECT_FALSE(f.store.find_token(id_of_token("a"), start));
    EXPECT_TRUE(f.store.find_token(id_of_token("b"), start));
    EXPECT_TRUE(f.store.find_token(id_of_token("d"), start));
}

TEST(AccountStore, FoldsNamesAnewThatWereFoldedByOtherRules) {
    Folder folder;
    const std::string path = folder.file("accounts.db");
    const std::string composed = "J\xC3\x96rg", apart = "JO\xCC\x88rg";
    std::string first;
    {
        AccountStore store(path);
        first = store.add_account(composed, "hash", start)->id;
        EXPECT_FALSE(store.add_account(apart, "hash", start)) << "the same name";
    }
    {
        // As the first version had it: only A to Z were folded, and both were let in.
        Database file(path);
        file.prepare("UPDATE accounts SET name_key = 'j\xC3\x96rg'").run();
        file.execute(
            "INSERT INTO accounts (id, name, name_key, hash, created) "
            "VALUES ('second', 'JO\xCC\x88rg', 'jo\xCC\x88rg', 'hash', 0)");
    }
    AccountStore store(path);
    ASSERT_TRUE(store.find_account(apart));
    EXPECT_EQ(store.find_account(apart)->id, first) << "who was there first";
    EXPECT_TRUE(store.account_of("second")) << "and nobody is lost";
}

NewKey key(const std::string& token, std::vector<std::string> rooms = {}) {
    return {id_of_token(token), "id-" + token, "a label", true, false, std::move(rooms), {}};
}

TEST(AccountStore, KeysHaveScopesAndAreRevokedByTheirOwnerAlone) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "hash", start);
    const auto bob = *f.store.add_account("Bob", "hash", start);
    ASSERT_TRUE(f.store.add_key(ann.row, key("k", {"team.*", "lobby"}), start));
    const auto found = f.store.find_token(id_of_token("k"), start + 24h * 3650);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->grant.kind, core::Grant::Kind::api_key);
    EXPECT_TRUE(found->grant.reads);
    EXPECT_FALSE(found->grant.writes);
    EXPECT_FALSE(found->grant.all_rooms);
    EXPECT_TRUE(found->grant.covers("team.a"));
    EXPECT_FALSE(found->grant.covers("other"));
    const auto listed = f.store.keys_of(ann.row);
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].label, "a label");
    EXPECT_FALSE(listed[0].used);
    f.store.note_use(id_of_token("k"), start + 1h);
    EXPECT_EQ(f.store.keys_of(ann.row)[0].used, start + 1h);
    EXPECT_FALSE(f.store.remove_key(bob.row, "id-k"));
    EXPECT_EQ(f.store.remove_key(ann.row, "id-k"), id_of_token("k"));
    EXPECT_FALSE(f.store.find_token(id_of_token("k"), start));
}

TEST(AccountStore, AnAccountHasSoManyKeysAndNoMore) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "hash", start);
    for (std::size_t i = 0; i < keys_per_account_max; ++i) {
        EXPECT_TRUE(f.store.add_key(ann.row, key(std::to_string(i)), start));
    }
    EXPECT_FALSE(f.store.add_key(ann.row, key("one more"), start));
}

TEST(AccountStore, SweepsWhatHasExpired) {
    StoreFixture f;
    const auto ann = *f.store.add_account("Ann", "hash", start);
    EXPECT_TRUE(f.store.add_session(ann.row, id_of_token("a"), start, start + 1h).empty());
    NewKey ending = key("k");
    ending.expires = start + 1h;
    ASSERT_TRUE(f.store.add_key(ann.row, ending, start));
    ASSERT_TRUE(f.store.add_key(ann.row, key("lasting"), start));
    EXPECT_FALSE(f.store.find_token(id_of_token("k"), start + 1h));
    f.store.sweep(start + 2h);
    EXPECT_FALSE(f.store.find_token(id_of_token("a"), start)) << "also for a clock that went back";
    EXPECT_EQ(f.store.keys_of(ann.row).size(), 1u);
}

// ---- versions --------------------------------------------------------------------------------

TEST(AccountStore, BringsAFileOfTheFirstVersionUpToDateWithAllThatIsInIt) {
    Folder folder;
    const std::string path = folder.file("old.db");
    {
        Database old(path);
        old.execute(
            "CREATE TABLE accounts (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT "
            "NOT "
            "NULL, name_key TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, created INTEGER NOT NULL) "
            "STRICT; CREATE TABLE sessions (token BLOB PRIMARY KEY, account INTEGER NOT NULL "
            "REFERENCES accounts(row) ON DELETE CASCADE, created INTEGER NOT NULL, used INTEGER "
            "NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID; "
            "INSERT INTO accounts VALUES (1, 'abc', 'Ann', 'ann', 'hash', 5); "
            "PRAGMA user_version = 1");
    }
    AccountStore store(path);
    EXPECT_EQ(store.find_account("ann")->id, "abc");
    EXPECT_TRUE(store.add_key(1, key("k"), start));
    Database now(path);
    auto version = now.prepare("PRAGMA user_version");
    ASSERT_TRUE(version.step());
    EXPECT_EQ(version.number(0), AccountStore::schema_version);
}

void expect_refused(const std::string& path, const std::string& why) {
    try {
        AccountStore store(path);
        FAIL() << "opened";
    } catch (const DatabaseError& failure) {
        EXPECT_NE(std::string(failure.what()).find(path), std::string::npos) << failure.what();
        EXPECT_NE(std::string(failure.what()).find(why), std::string::npos) << failure.what();
    }
}

TEST(AccountStore, RefusesAFileOfALaterVersionAndWhatIsNone) {
    Folder folder;
    const std::string later = folder.file("later.db");
    Database(later).execute("PRAGMA user_version = 99");
    expect_refused(later, "written by a later version (schema 99");
    const std::string text = folder.file("text.db");
    std::ofstream(text) << std::string(4096, 'x');
    expect_refused(text, "not a database");
    expect_refused(folder.file("no/such/folder.db"), "cannot be opened");
}

}  // namespace
}  // namespace parley::auth
