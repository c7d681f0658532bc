// TargetDialogue: a dialogue whose words are a target's: its steps to subscribe, and its form of a
// message.
//
// Path:     VirtualUser → [TargetDialogue] → the dialogue that sends them
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loadtest/dialogue.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

class TargetDialogue : public Dialogue {
public:
    void publish(const Stamp& message, std::string& out, UserContext& context) override;

protected:
    // Sends one text. It is not in UserContext::payload; it may be in UserContext::text.
    virtual void say(std::string_view text, std::string& out, UserContext& context) = 0;

    // The next life begins with the first step.
    void begin(const Target& target);
    [[nodiscard]] const Target& target() const { return *target_; }
    // What `path` is for this user.
    [[nodiscard]] std::string path_of(const VirtualUser& user) const;
    // Says what the steps say, as far as one that awaits something; past the last the user is ready.
    void take_steps(VirtualUser& user, std::int64_t now_ns, std::string& out, UserContext& context);
    // Answers a text that the target answers at any time. False: it is none of these.
    bool reply_to(std::string_view text, std::string& out, UserContext& context);
    // The step at hand awaits this text. step_on() goes to the next.
    [[nodiscard]] bool is_awaited(const VirtualUser& user, std::string_view text,
                                  UserContext& context) const;
    void step_on(VirtualUser& user, std::int64_t now_ns, std::string& out, UserContext& context);

private:
    const Target* target_ = nullptr;
    std::uint32_t step_ = 0;
};

}  // namespace parley::load
