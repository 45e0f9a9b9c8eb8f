/**
 * A card as somebody outside of this project would write it. The tests pack these classes into a bundle of their own at run time; they import the SPI
 * and nothing else.
 */
package org.backplane.itests.card;
