#include "core/reply.hpp"

#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

std::vector<std::string_view> json_of(const std::vector<RetainedPtr>& messages) {
    std::vector<std::string_view> texts;
    texts.reserve(messages.size());
    for (const auto& message : messages) texts.emplace_back(message->json());
    return texts;
}

struct Appender {
    std::string& out;
    const protocol::CommandId& id;

    void operator()(const JoinedReply& reply) const {
        const protocol::Joined head{reply.room,  reply.cursor,  reply.recovered,
                                    {},          reply.members, reply.count,
                                    reply.topic, reply.direct,  reply.read};
        protocol::append_joined(out, id, head, json_of(reply.history));
    }
    void operator()(const HistoryReply& reply) const {
        const protocol::HistoryPage head{reply.room, reply.cursor, {}, reply.more};
        protocol::append_history(out, id, head, json_of(reply.messages));
    }
    template <typename Message>
    void operator()(const Message& message) const {
        protocol::append_server_frame(out, {id, message});
    }
};

}  // namespace

void append_reply(std::string& out, const Reply& reply) {
    std::visit(Appender{out, reply.id}, reply.message);
}

}  // namespace parley::core
