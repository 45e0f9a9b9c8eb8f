/**
 * Cards that do what they must not, one thing each. The tests pack each into a bundle of its own; they import the SPI and nothing else.
 */
package org.backplane.itests.bad;
