// FilesServer: a TestServer with files, on disk below a folder of its own.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "support/file_store.hpp"
#include "transports/rest_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports::test {

inline constexpr std::string_view lobby_files = "/api/v1/rooms/lobby/files";
// The smallest thing that is one.
inline const std::string tiny_png = "\x89PNG\r\n\x1A\n--tiny--";

struct FilesServer {
    explicit FilesServer(core::FilesConfig files = {}, TransportConfig transports = {},
                         core::Config config = unlimited(),
                         const std::shared_ptr<const TlsContexts>& tls = nullptr)
        : store(std::move(files)),
          server(std::move(config), std::move(transports), frontends, tls) {
        server.set_file_store(*store.store, [this] { store.store->stop(); });
    }

    [[nodiscard]] const storage::FileCounters& counters() const { return store.store->counters(); }
    [[nodiscard]] std::uint64_t refused(core::FileRefusal cause) const {
        return counters().refused[static_cast<std::size_t>(cause)];
    }
    // Uploads a file that must be taken; gives back its description.
    boost::json::object put(RestClient& client, std::string_view bytes,
                            std::string_view query = "?filename=a.bin&name=ann") {
        const RestAnswer answer = client.ask("POST", std::string(lobby_files).append(query), bytes);
        EXPECT_EQ(answer.status, 201) << answer.body;
        return answer.json().at("file").as_object();
    }
    // Waits until no upload is under way, and everything that was asked of the disk is done.
    void settle() {
        while (counters().uploads != 0) std::this_thread::yield();
        store.settle();
    }

    parley::test::StoreOnDisk store;
    TestServer server;
};

inline std::string text_of(const boost::json::object& file, std::string_view field) {
    return boost::json::value_to<std::string>(file.at(field));
}

// A form with one file, and what its Content-Type is.
inline std::string form_of(std::string_view bytes, std::string_view filename = "a.png",
                           std::string_view type = "image/png") {
    std::string form = "--AaB\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n";
    form.append("--AaB\r\nContent-Disposition: form-data; name=\"file\"; filename=\"");
    form.append(filename).append("\"\r\nContent-Type: ").append(type).append("\r\n\r\n");
    return form.append(bytes).append("\r\n--AaB--\r\n");
}
inline constexpr std::string_view form_type = "Content-Type: multipart/form-data; boundary=AaB\r\n";

}  // namespace parley::transports::test
