#include "loadtest/target_dialogue.hpp"

#include "loadtest/virtual_user.hpp"

namespace parley::load {

void TargetDialogue::begin(const Target& target) {
    target_ = &target;
    step_ = 0;
}

std::string TargetDialogue::path_of(const VirtualUser& user) const {
    std::string path;
    append_filled(path, target_->path, {user.room_name(), user.index(), {}, 0});
    return path;
}

void TargetDialogue::take_steps(VirtualUser& user, std::int64_t now_ns, std::string& out,
                                UserContext& context) {
    for (; step_ < target_->steps.size(); ++step_) {
        const Target::Step& step = target_->steps[step_];
        if (step.kind == Target::Step::Kind::expect) return;
        context.text.clear();
        append_filled(context.text, step.text, {user.room_name(), user.index(), {}, 0});
        say(context.text, out, context);
    }
    user.on_ready(now_ns, context);
}

bool TargetDialogue::reply_to(std::string_view text, std::string& out, UserContext& context) {
    for (const Target::Reply& reply : target_->replies) {
        if (text != reply.match) continue;
        say(reply.answer, out, context);
        return true;
    }
    return false;
}

bool TargetDialogue::is_awaited(const VirtualUser& user, std::string_view text,
                                UserContext& context) const {
    if (step_ >= target_->steps.size()) return false;
    context.text.clear();
    append_filled(context.text, target_->steps[step_].text,
                  {user.room_name(), user.index(), {}, 0});
    return text.find(context.text) != std::string_view::npos;
}

void TargetDialogue::step_on(VirtualUser& user, std::int64_t now_ns, std::string& out,
                             UserContext& context) {
    ++step_;
    take_steps(user, now_ns, out, context);
}

void TargetDialogue::publish(const Stamp& message, std::string& out, UserContext& context) {
    const std::string& payload = context.payload_of(message);
    const std::string room =
        context.plan.room_name(context.plan.scenario.room_of(message.publisher));
    context.text.clear();
    append_filled(context.text, target_->publish,
                  {room, message.publisher, payload, message.sequence});
    say(context.text, out, context);
}

}  // namespace parley::load
