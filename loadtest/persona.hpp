// Persona: how some of the users of a run behave; Cast: who of them is which.
//
// Path:     scenario file → [Persona] → [Cast] → Scenario → VirtualUser, TalkPacer, LoadThread
// Runs on:  read at start; constant afterwards.
// Owned by: Scenario.
// Bounds:   personas_max personas.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/transport.hpp"

namespace parley::load {

struct Scenario;
struct Stamp;

inline constexpr std::size_t personas_max = 16;

// How large messages are: their text, the stamp included.
struct SizeModel {
    enum class Kind : std::uint8_t { fixed, uniform, lognormal };
    Kind kind = Kind::fixed;
    std::uint32_t min = 128;  // of `fixed` the size
    std::uint32_t max = 128;
    double median = 0;  // of `lognormal`
    double sigma = 0;   // of the size's natural logarithm

    // The size that these random bits stand for, from min to max.
    [[nodiscard]] std::uint32_t draw(std::uint64_t luck) const;
};

struct Persona {
    enum class Kind : std::uint8_t {
        talker,          // listens, and publishes
        listener,        // listens
        slow_reader,     // listens, and reads slowly
        churner,         // listens, leaves and comes back
        poller,          // listens, and polls or streams over HTTP
        rest_publisher,  // publishes, and does not listen
    };
    // How slow readers read what has come: all of it, or so many bytes, each `every`.
    struct Reading {
        std::chrono::nanoseconds every = std::chrono::milliseconds(100);
        std::uint64_t bytes = 1024;
    };

    std::string name;
    Kind kind = Kind::listener;
    Transport transport = Transport::websocket;
    double weight = 0;  // its part of the connections, beside the others'
    // Messages a second of all of its users; nothing: as many for each user as others have.
    std::optional<double> rate_per_s;
    SizeModel size;
    double skew = 0;  // of its choice of rooms: room n has a weight of 1 / (n + 1)^skew; 0: even
    Reading reading;
    double churn_per_s = 0;  // of all of its users together
    std::chrono::nanoseconds away{};
    bool resumes = false;      // comes back where it was in its room
    bool resume_said = false;  // `resumes` is no default

    [[nodiscard]] bool publishes() const {
        return kind == Kind::talker || kind == Kind::rest_publisher;
    }
};

[[nodiscard]] std::string_view name_of(Persona::Kind kind);
// "talker, listener, … or rest-publisher", for messages.
[[nodiscard]] std::string persona_kind_names();
[[nodiscard]] std::optional<Persona::Kind> persona_kind_from(std::string_view name);
// Its users can go on where they were: what Parley has a cursor for.
[[nodiscard]] bool can_resume(Transport transport);

// Who plays what. Users who publish have the first numbers, persona behind persona; the others are
// mingled evenly, so that whatever part of the connections there is has a like part of each persona.
class Cast {
public:
    Cast(const std::vector<Persona>& personas, std::uint32_t connections, std::uint32_t rooms);

    struct Group {
        std::uint32_t first, count;  // users; of those who don't publish only the count is of use
    };
    [[nodiscard]] std::uint32_t publishers() const noexcept { return publishers_; }
    [[nodiscard]] const std::vector<Group>& groups() const noexcept { return groups_; }
    [[nodiscard]] std::uint8_t persona_of(std::uint32_t user) const { return parts_[user].persona; }
    // A number that is no user's is of room 0: senders listen to none.
    [[nodiscard]] std::uint32_t room_of(std::uint32_t user) const {
        return user < parts_.size() ? parts_[user].room : 0;
    }
    // The place of a publisher among those of its room.
    [[nodiscard]] std::uint32_t member_of(std::uint32_t user) const { return parts_[user].member; }
    [[nodiscard]] std::uint32_t publishers_in(std::uint32_t room) const {
        return publishers_in_[room];
    }

private:
    struct Part {
        std::uint32_t room = 0;
        std::uint32_t member = 0;
        std::uint8_t persona = 0;
    };
    void seat(const std::vector<Persona>& personas, std::uint32_t rooms);

    std::vector<Part> parts_;
    std::vector<Group> groups_;
    std::vector<std::uint32_t> publishers_in_;
    std::uint32_t publishers_ = 0;
};

// How many users each persona has: in proportion to the weights, to within one, and one at least.
[[nodiscard]] std::vector<std::uint32_t> share_out(std::span<const double> weights,
                                                   std::uint32_t connections);
// The transports of these personas, in per cent, each one that is used with one at least.
[[nodiscard]] Mix mix_of(const std::vector<Persona>& personas,
                         std::span<const std::uint32_t> counts);
// What part of all messages each persona sends; they make 1 where anybody publishes.
[[nodiscard]] std::vector<double> rate_parts(const Scenario& scenario);
// The rate that the personas have by themselves; nothing where none of them says one.
[[nodiscard]] std::optional<double> own_rate(const std::vector<Persona>& personas);

// Why these personas can't be played, in words that name the persona; nothing when they can.
[[nodiscard]] std::optional<std::string> personas_problem(const Scenario& scenario);

}  // namespace parley::load
