/** The SPI and the cards that were compiled against older ones, see {@code itests/spi}. */
package org.backplane.itests.spi;
