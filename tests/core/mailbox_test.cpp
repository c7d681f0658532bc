#include "core/mailbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

namespace parley::core {
namespace {

struct Letter : MailboxNode {
    explicit Letter(int given) noexcept : number(given) {}
    int number;
};

std::vector<int> take(Mailbox& mailbox) {
    std::vector<int> numbers;
    mailbox.take_all(
        [&](MailboxNode& node) { numbers.push_back(static_cast<Letter&>(node).number); });
    return numbers;
}

TEST(Mailbox, HandsOverWhatWasPushedInOrder) {
    for (int count = 0; count < 20; ++count) {
        Mailbox mailbox;
        std::vector<Letter> letters;
        std::vector<int> expected;
        for (int i = 0; i < count; ++i) {
            letters.emplace_back(i);
            expected.push_back(i);
        }
        for (Letter& letter : letters) static_cast<void>(mailbox.push(letter));
        EXPECT_EQ(take(mailbox), expected);
        EXPECT_EQ(take(mailbox), std::vector<int>{});
    }
}

TEST(Mailbox, AsksForAWakeUpOnlyWhenItWasEmpty) {
    Mailbox mailbox;
    Letter first(1);
    Letter second(2);
    EXPECT_TRUE(mailbox.push(first));
    EXPECT_FALSE(mailbox.push(second));
    EXPECT_EQ(take(mailbox), (std::vector{1, 2}));
    EXPECT_TRUE(mailbox.push(second));
    EXPECT_EQ(take(mailbox), std::vector{2});
}

TEST(Mailbox, LetsTheReceiverFreeANode) {
    Mailbox mailbox;
    for (int i = 0; i < 3; ++i) {
        static_cast<void>(mailbox.push(*std::make_unique<Letter>(i).release()));
    }
    int sum = 0;
    mailbox.take_all([&](MailboxNode& node) {
        const std::unique_ptr<Letter> letter(static_cast<Letter*>(&node));
        sum += letter->number;
    });
    EXPECT_EQ(sum, 3);
}

TEST(Mailbox, KeepsWhatIsPushedWhileTakingForTheNextTime) {
    Mailbox mailbox;
    std::array<Letter, 2> letters{Letter(1), Letter(2)};
    for (Letter& letter : letters) static_cast<void>(mailbox.push(letter));
    int taken = 0;
    bool woke_once = false;
    mailbox.take_all([&](MailboxNode& node) {
        ++taken;
        const bool wake = mailbox.push(node);
        EXPECT_EQ(wake, !woke_once);
        woke_once = true;
    });
    EXPECT_EQ(taken, 2);
    EXPECT_EQ(take(mailbox), (std::vector{1, 2}));
}

}  // namespace
}  // namespace parley::core
