// Of Asio what speaks TLS: a file of its own, so that it is linked only where that is used.
#include <boost/asio/ssl/impl/src.hpp>
