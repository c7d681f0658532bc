#include "transports/socketio/python_client.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

TEST(PythonClient, NumbersItsRequestsByTheSecond) {
    EXPECT_TRUE(is_python_client("transport=polling&EIO=4&t=1732261762.2534"));
    EXPECT_TRUE(is_python_client("username=ann&transport=websocket&EIO=4&t=1732261762.2"));
}

TEST(PythonClient, IsNobodyElse) {
    for (const char* query : {
             "",
             "EIO=4&transport=websocket",
             "EIO=4&transport=polling&t=PXnZ1tW",    // socket.io-client 3
             "EIO=4&transport=polling&t=PXnZ1tW.0",  // its second within a millisecond
             "EIO=4&transport=polling&t=3f8w9abc",   // socket.io-client 4
             "EIO=4&transport=polling&t=1732261762253",
             "EIO=4&transport=polling&t=17322617x2.25",
             "EIO=4&transport=polling&t=12345678.25",
             "EIO=4&transport=polling&t=1732261762.",
             "EIO=4&transport=polling&at=1732261762.25",
         }) {
        EXPECT_FALSE(is_python_client(query)) << query;
    }
}

}  // namespace
}  // namespace parley::transports
