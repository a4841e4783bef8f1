-- Names are ASCII, and so is their letter case: string.lower and string.upper
-- go by the locale that the program has set, where a Turkish "I" is not the
-- capital of "i".

local ascii = {}

--- The text with the letters A to Z in lower case.
function ascii.lower(text)
  return (text:gsub("[A-Z]", function(letter) return string.char(letter:byte() + 32) end))
end

--- The text with the letters a to z in upper case.
function ascii.upper(text)
  return (text:gsub("[a-z]", function(letter) return string.char(letter:byte() - 32) end))
end

return ascii
